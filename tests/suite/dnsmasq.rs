//! The built-in module `dnsmasq`: the configuration that it writes, held against dnsmasq itself where it is, and what it refuses. No Engine
//! is needed to plan it.

use meshplan_tests::required::Missing;
use meshplan_tests::scenario::Scenario;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// The lines that every configuration begins with.
const HEAD: &str = "no-resolv|no-hosts|pid-file=|dns-loop-detect|cache-size=150|local-ttl=0|";

/// What is given to the module, and the lines that come of it.
const ROWS: &[(&str, &str)] = &[
    ("", ""),
    ("upstreams = [\"10.2.1.14\", \"1.1.1.1#5353\", \"fd00::14#53\"]", "server=10.2.1.14|server=1.1.1.1#5353|server=fd00::14#53|"),
    (
        "domains = { \"istio-cls1.com\" = \"10.2.1.40\", \"istio-cls2.com\" = \"10.2.1.41\" }",
        "address=/istio-cls1.com/10.2.1.40|local=/istio-cls1.com/|address=/istio-cls2.com/10.2.1.41|local=/istio-cls2.com/|",
    ),
    (
        "domains = { \"Mesh.TEST\" = [\"10.2.1.40\", \"fd00::40\"], \"none.test\" = [] }",
        "address=/mesh.test/10.2.1.40|address=/mesh.test/fd00::40|local=/mesh.test/|local=/none.test/|",
    ),
    (
        "forwards = { corp = \"10.0.0.53\", \"lab.example\" = [\"10.1.0.53#54\", \"10.1.0.54\"] }",
        "server=/corp/10.0.0.53|server=/lab.example/10.1.0.53#54|server=/lab.example/10.1.0.54|",
    ),
    (
        "hosts = { \"db.mesh.test\" = [\"10.2.1.50\", \"fd00::50\"], \"_sip-x.test\" = \"10.2.1.51\" }",
        "host-record=_sip-x.test,10.2.1.51|local=/_sip-x.test/|host-record=db.mesh.test,10.2.1.50|host-record=db.mesh.test,fd00::50|local=/db.mesh.test/|",
    ),
    // Its own address is 10.2.6.39, of which another port is another server; a domain may lie within another one.
    ("upstreams = [\"10.2.6.39#54\"]", "server=10.2.6.39#54|"),
    (
        "domains = { \"a.test\" = \"10.2.1.40\" }\n  hosts = { \"b.a.test\" = \"10.2.1.41\" }",
        "address=/a.test/10.2.1.40|local=/a.test/|host-record=b.a.test,10.2.1.41|local=/b.a.test/|",
    ),
    ("options = [\"domain-needed\", \"edns-packet-max=1232\"]", "domain-needed|edns-packet-max=1232|"),
    ("log_queries = true", "log-queries=extra|"),
];

/// Calls of the module, each with its arguments and, unless these name one, its address; `m0`, `m1`, ….
fn calls<'a>(rows: impl Iterator<Item = &'a str>, address: impl Fn(usize) -> String) -> String {
    rows.enumerate().fold(String::new(), |mut text, (at, arguments)| {
        let address = if arguments.contains("address =") { String::new() } else { format!("address = \"{}\"", address(at)) };
        writeln!(
            text,
            "module \"m{at}\" {{\n  source = \"builtin:dnsmasq\"\n  image = \"dnsmasq:1\"\n  pull = false\n  name = \"m{at}\"\n  {address}\n  {arguments}\n}}"
        )
        .unwrap();
        text
    })
}

#[test]
fn the_configuration_is_what_was_asked_for_and_dnsmasq_takes_it() {
    let scenario = Scenario::with(&calls(ROWS.iter().map(|(arguments, _)| *arguments), |at| format!("10.2.{at}.39")));
    let questions = (0..ROWS.len()).fold(String::new(), |mut text, at| {
        writeln!(text, "replace(module.m{at}.configuration, \"\\n\", \"|\")").unwrap();
        text
    });
    let said = scenario.run_with(&["console"], &questions);
    let answers: Vec<_> = said.stdout.lines().collect();
    assert_eq!(answers.len(), ROWS.len(), "{}", said.all());
    let mut missing = Missing::default();
    let is_missing = missing.any_of(["dnsmasq"]);
    for ((arguments, lines), answer) in ROWS.iter().zip(answers) {
        assert_eq!(answer, format!("\"{HEAD}{lines}\""), "{arguments}");
        if !is_missing {
            accepted(&answer.trim_matches('"').replace('|', "\n"));
        }
    }
    if is_missing {
        missing.close();
    }
}

/// dnsmasq itself finds nothing wrong with a configuration.
fn accepted(configuration: &str) {
    let mut command = Command::new("dnsmasq");
    command.args(["--test", "--conf-file=-"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(configuration.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{configuration}: {}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn what_would_never_answer_is_refused() {
    let rows = [
        ("address = \"dns.test\"", "`dns.test` is no address"),
        ("address = \"0.0.0.0\"", "name the one address to answer on"),
        ("address = \"0:0::0\"", "name the one address to answer on"),
        ("upstreams = [\"1.1.1.1\", \"10.2.1.39\"]", "a name server on 10.2.1.39 would ask itself without end: `10.2.1.39"),
        ("upstreams = [\"10.2.1.39#53\"]", "a name server on 10.2.1.39 would ask itself without end: `10.2.1.39"),
        (
            "address = \"fd00::39\"\n  upstreams = [\"fd00:0:0::0039\"]",
            "a name server on fd00::39 would ask itself without end: `fd00:0:0::0039`",
        ),
        ("upstreams = [\"127.0.0.53\"]", "these addresses are the container's own: `127.0.0.53`"),
        ("upstreams = [\"127.0.0.11#53\", \"::1\"]", "the container's own: `127.0.0.11#53`, `::1`"),
        ("upstreams = [\"dns.google\", \"1.1.1.1#\", \"1.1.1.1#99999\"]", "no name servers: `dns.google`, `1.1.1.1#`, `1.1.1.1#99999`"),
        ("upstreams = [\"1.1.1.1\\naddress=/x/1.2.3.4\"]", "no name servers"),
        ("forwards = { corp = \"10.2.1.39\" }", "a name server on 10.2.1.39 would ask itself without end: `10.2.1.39`"),
        ("forwards = { corp = [\"9.9.9.9\", \"::1#54\"] }", "these addresses are the container's own: `::1#54`"),
        ("forwards = { corp = \"x\" }", "no name servers: `x`"),
        ("forwards = { \"a/b\" = \"10.0.0.53\" }", "no domains: `a/b`"),
        ("domains = { \"*.mesh.test\" = \"10.2.1.40\" }", "no domains: `*.mesh.test`"),
        ("domains = { \"mesh..test\" = \"10.2.1.40\", \"-x.test\" = \"10.2.1.40\" }", "no domains: `-x.test`, `mesh..test`"),
        ("domains = { \"mesh.test\" = \"10.2.1.400\" }", "no addresses: `10.2.1.400`"),
        ("domains = { \"mesh.test\" = [\"fd00::40\", \"x\"] }", "no addresses: `x`"),
        (
            "domains = { \"mesh.test\" = \"10.2.1.40\" }\n  hosts = { \"MESH.test\" = \"10.2.1.41\" }",
            "in `domains` or `forwards` as well: `MESH.test`",
        ),
        ("domains = { corp = \"10.2.1.40\" }\n  forwards = { corp = \"10.0.0.53\" }", "in `forwards` as well: `corp`"),
        ("hosts = { \"a b\" = \"10.2.1.40\" }", "no names: `a b`"),
        ("hosts = { \"a.test\" = \"10.2.1.40/32\" }", "no addresses: `10.2.1.40/32`"),
        ("cache_size = -1", "whole numbers"),
        ("local_ttl = 1.5", "whole numbers"),
    ];
    let scenario = Scenario::with(&calls(rows.iter().map(|(arguments, _)| *arguments), |_| "10.2.1.39".to_owned()));
    let told = scenario.run(&["plan"]).expect_code(1).stderr;
    let flat = told.split_whitespace().filter(|word| *word != "│" && *word != "|").collect::<Vec<_>>().join(" ");
    for (arguments, expected) in rows {
        assert!(flat.contains(expected), "{arguments}: {told}");
    }
    // Both of the addresses that stand for all are told in the same words, once.
    assert_eq!(told.matches("error: ").count(), rows.len() - 1, "{told}");
}

#[test]
fn servers_that_ask_one_another_in_a_circle_are_refused() {
    let ask = |upstreams: [&str; 3]| {
        let rows = upstreams.map(|upstream| format!("upstreams = [\"1.1.1.1\", \"{upstream}\"]"));
        let scenario = Scenario::with(&calls(rows.iter().map(String::as_str), |at| format!("10.2.1.{}", 40 + at)));
        scenario.run(&["plan", "--preview=offline"])
    };
    let told = ask(["10.2.1.41", "10.2.1.42", "10.2.1.40#53"]).expect_code(1).stderr;
    assert_eq!(told.matches("error: forwarding loop").count(), 1, "{told}");
    for server in ["module.m0", "module.m1", "module.m2"] {
        assert!(told.contains(server), "{told}");
    }
    // Another port is another server.
    ask(["10.2.1.41", "10.2.1.42", "10.2.1.40#5353"]).expect_code(0);
}

#[test]
fn the_page_of_the_server_needs_a_password_and_shows_none() {
    let web = "web = { user = \"admin\", password = \"hunter2\" }\n  image = \"jpillora/dnsmasq\"";
    let scenario = Scenario::with(&calls([web].into_iter(), |_| "10.2.1.39".to_owned()).replace("  image = \"dnsmasq:1\"\n", ""));
    let told = scenario.run(&["plan"]).all();
    assert!(!told.contains("hunter2"), "{told}");
    let without = scenario.read("main.mesh.hcl").replace(", password = \"hunter2\"", "");
    scenario.write("main.mesh.hcl", &without);
    let told = scenario.run(&["plan"]).expect_code(1).all();
    assert!(told.contains("password"), "{told}");
}
