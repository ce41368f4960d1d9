//! What is sealed with which key, what is said without it, and how keys are replaced.

use crate::exit;
use crate::fake::Fake;

const SECRET: &str = "hunter2-hunter2";
const KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";
const MAIN: &str = "variable \"password\" {\n  sensitive = true\n}\nresource \"meshplan_data\" \"a\" {\n  input = var.password\n}\nresource \
                    \"meshplan_data\" \"b\" {\n  input = \"plain\"\n}\noutput \"password\" {\n  value     = meshplan_data.a.output\n  sensitive = \
                    true\n}\noutput \"open\" {\n  value = meshplan_data.b.output\n}\n";
const STATE: &str = "meshplan.state.json";
const APPLY: &str = "apply --auto-approve --var password=hunter2-hunter2";

/// A cluster, whose connection is secret, and what lies in it.
const CLUSTER: &str = "resource \"sandbox_cluster\" \"c\" {\n  name = \"c\"\n}\nresource \"kubernetes_namespace\" \"n\" {\n  cluster = sandbox_cluster.c\n  \
                       name    = \"n\"\n}\n";

fn fake() -> Fake {
    Fake::new(&[("main.mesh.hcl", MAIN)])
}

fn encrypt(fake: &Fake, block: &str) {
    fake.write("encryption.mesh.hcl", &format!("meshplan {{\n  encryption {{\n{block}\n  }}\n}}\n"));
}

fn done(fake: &Fake, args: &str) -> String {
    let ran = fake.run(args);
    assert_eq!(ran.code, exit::DONE, "{args}: {ran:?}");
    format!("{}{}", ran.out, ran.err)
}

fn state(fake: &Fake) -> String {
    fake.text(STATE).unwrap()
}

#[test]
fn that_secrets_stand_in_the_state_is_said_once() {
    let fake = fake();
    let said = "The state holds secrets as they are";
    assert!(done(&fake, APPLY).contains(said));
    assert!(state(&fake).contains("\"sealing\": \"none\"") && state(&fake).contains(SECRET));
    fake.write("main.mesh.hcl", &MAIN.replace("plain", "other"));
    assert!(!done(&fake, APPLY).contains(said));
    encrypt(&fake, "    key_file = \"k\"");
    fake.write("k", KEY);
    assert!(!done(&fake, "state reseal").contains(said));
    let open = Fake::new(&[("main.mesh.hcl", "resource \"meshplan_data\" \"b\" {\n  input = \"plain\"\n}\n")]);
    assert!(!done(&open, "apply --auto-approve").contains(said) && !state(&open).contains("sealing"));
}

#[test]
fn with_a_key_nothing_secret_is_written_and_what_did_not_change_keeps_its_text() {
    let fake = fake();
    encrypt(&fake, "    key_file = \"k\"");
    fake.write("k", KEY);
    let said = done(&fake, APPLY);
    assert!(!said.contains("secrets as they are") && !said.contains(SECRET), "{said}");
    let sealed = state(&fake);
    assert!(
        !sealed.contains(SECRET) && sealed.contains("\"input\": \"plain\"") && sealed.contains("\"key\": \"4ac2644515858268\""),
        "{sealed}"
    );
    done(&fake, APPLY);
    assert_eq!(state(&fake), sealed);
    assert_eq!(done(&fake, "output password"), format!("\"{SECRET}\"\n"));
    fake.write("main.mesh.hcl", &MAIN.replace("plain", "other"));
    done(&fake, APPLY);
    let secrets = |text: &str| text.lines().filter(|line| line.contains("sealed:v1:")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(secrets(&state(&fake)), secrets(&sealed));
    assert_eq!(secrets(&sealed).len(), 4, "the input, the output of the resource, that of the module, the state's key: {sealed}");
    done(&fake, "state mv meshplan_data.a meshplan_data.c");
    assert_eq!(done(&fake, "output password"), format!("\"{SECRET}\"\n"));
    let copy = done(&fake, "state pull");
    assert!(!copy.contains(SECRET) && copy == state(&fake), "{copy}");
}

#[test]
fn what_is_closed_is_not_shown_as_if_it_were_known_later() {
    let fake = fake();
    done(&fake, APPLY);
    encrypt(&fake, "    key_file = \"k\"");
    fake.write("k", KEY);
    done(&fake, "state reseal");
    std::fs::remove_file(fake.path().join("k")).unwrap();
    let shown = done(&fake, "state diff @1");
    assert!(shown.contains("(sensitive value) -> (not observed: it is sealed with the key `4ac2644515858268`)"), "{shown}");
    assert!(!shown.contains("known after apply") && !shown.contains(SECRET), "{shown}");
}

#[test]
fn without_the_key_all_else_can_be_read_and_nothing_written() {
    let fake = fake();
    encrypt(&fake, "    key_file = \"k\"");
    fake.write("k", KEY);
    done(&fake, APPLY);
    let sealed = state(&fake);
    std::fs::remove_file(fake.path().join("k")).unwrap();
    let gone = "`k` cannot be read: No such file";
    let missing = "is sealed with the key `4ac2644515858268`, which is not at hand";
    for (block, absent) in [(true, gone), (false, missing)] {
        if !block {
            std::fs::remove_file(fake.path().join("encryption.mesh.hcl")).unwrap();
        }
        for (args, shown) in [
            ("state list", "meshplan_data.a\nmeshplan_data.b\n"),
            ("state show meshplan_data.b", "\"plain\""),
            ("state show meshplan_data.a", "(sensitive value)"),
            ("show --json", "\"plain\""),
            ("output", "\"plain\""),
            ("output --json", "\"plain\""),
            ("output open", "\"plain\""),
            ("state diff", "+   password  (sensitive value)"),
            ("graph --var password=hunter2-hunter2", "digraph"),
        ] {
            let said = done(&fake, args);
            assert!(said.contains(shown) && said.contains("its secrets stay closed"), "{args}: {said}");
        }
        assert_eq!(done(&fake, "state pull"), sealed, "as it is kept");
        assert!(done(&fake, "state history").contains("@1  "));
        for args in [
            "plan --refresh=false",
            "plan --out p.json",
            "plan --to @1",
            "apply --auto-approve",
            "destroy --auto-approve",
            "import meshplan_data.c x",
            "state rm meshplan_data.b",
            "state mv meshplan_data.b meshplan_data.c",
            "state push meshplan.state.json",
            "state restore --auto-approve @1",
            "state reseal --unseal",
        ] {
            let with = if args.starts_with("state") || args.starts_with("import") {
                args.to_owned()
            } else {
                format!("{args} --var password={SECRET}")
            };
            let ran = fake.run(&with);
            let names = |text: &str| text.contains(absent) || text.contains(missing);
            assert!(ran.code == exit::FAILED && names(&ran.err), "{args}: {ran:?}");
            assert!(!ran.err.contains(SECRET) && !ran.out.contains(SECRET), "{ran:?}");
        }
        let ran = fake.run("output password");
        assert!(ran.code == exit::FAILED && ran.err.contains("it is sealed with the key `4ac2644515858268`"), "{ran:?}");
        assert_eq!(state(&fake), sealed);
    }
}

#[test]
fn without_the_key_what_needs_no_secret_is_planned_and_the_rest_named() {
    let fake = Fake::new(&[("main.mesh.hcl", &format!("{MAIN}{CLUSTER}"))]);
    encrypt(&fake, "    key_file = \"k\"");
    fake.write("k", KEY);
    done(&fake, APPLY);
    std::fs::remove_file(fake.path().join("k")).unwrap();
    let plan = format!("plan --detailed-exitcode --var password={SECRET}");
    let changed = MAIN.replace("\"plain\"", "\"other\"");
    for (main, code, shown) in [
        (
            format!("{MAIN}{CLUSTER}"),
            exit::DONE,
            &["No changes", "meshplan_data.a         it is sealed with the key", "3 could not be observed"][..],
        ),
        (format!("{changed}{CLUSTER}"), exit::CHANGES, &["~ input   \"plain\" -> \"other\"", "?   meshplan_data.a "]),
        (changed, exit::CHANGES, &["~   meshplan_data.b", "?   sandbox_cluster.c "]),
    ] {
        fake.write("main.mesh.hcl", &main);
        let ran = fake.run(&plan);
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(shown.iter().all(|shown| ran.out.contains(shown)), "{ran:?}");
        assert!(ran.err.contains("what needs them is not planned") && !format!("{}{}", ran.out, ran.err).contains(SECRET), "{ran:?}");
    }
}

#[test]
fn a_key_is_replaced_and_done_without() {
    let fake = fake().variable("NEW", "correct horse battery").variable("SHORT", "fifteen bytes..");
    done(&fake, APPLY);
    assert!(state(&fake).contains(SECRET));
    let ran = fake.run("state reseal");
    assert!(ran.code == exit::FAILED && ran.err.contains("the configuration has no `encryption` block to seal with"), "{ran:?}");
    encrypt(&fake, "    key_file = \"k\"");
    fake.write("k", KEY);
    assert!(done(&fake, "state reseal").contains("Everything secret is sealed with this key now; the state has serial 2."));
    assert!(done(&fake, "state reseal").contains("already"));
    assert!(!state(&fake).contains(SECRET));
    encrypt(&fake, "    passphrase_env = \"NEW\"");
    let ran = fake.run("state reseal");
    assert!(ran.code == exit::FAILED && ran.err.contains("sealed state"), "{ran:?}");
    encrypt(&fake, "    passphrase_env = \"NEW\"\n    fallback {\n      key_file = \"k\"\n    }");
    assert!(done(&fake, "state reseal").contains("the state has serial 3."));
    encrypt(&fake, "    passphrase_env = \"NEW\"");
    assert_eq!(done(&fake, "output password"), format!("\"{SECRET}\"\n"));
    assert!(state(&fake).contains("\"rounds\": 600000"));
    assert!(done(&fake, "state reseal --unseal").contains("The next write seals it again"));
    assert!(state(&fake).contains(SECRET) && done(&fake, "state reseal --unseal").contains("Nothing is sealed."));
    assert_eq!(fake.operations(), ["apply", "state reseal", "state reseal", "state reseal"]);
    for (block, why) in [
        ("    passphrase_env = \"SHORT\"", "the environment variable `SHORT`: a passphrase has at least 16 bytes"),
        ("    passphrase_env = \"NONE\"", "the environment variable `NONE` is not set"),
        ("    key_file = \"main.mesh.hcl\"", "`main.mesh.hcl` holds no key: it is not written in base64"),
        ("    key = \"k\"", "unknown argument"),
    ] {
        encrypt(&fake, block);
        for args in [APPLY, "state reseal", "state rm meshplan_data.b"] {
            let ran = fake.run(args);
            assert!(
                ran.code == exit::FAILED && ran.err.contains(why) && (args != APPLY || ran.err.contains("encryption.mesh.hcl:3")),
                "{args}: {ran:?}"
            );
        }
        assert!(done(&fake, "state list").contains("meshplan_data.a"));
    }
}
