//! Plans and graphs as pages in a real browser: how they look in light and dark, what their search leaves, and that they ask nobody for
//! anything.

use meshplan_tests::browser::{self, Browser, Picture, Scheme};
use meshplan_tests::scenario::Scenario;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;

/// A mesh that was made and is to change: a new version, a cluster that goes, one that comes, a name that is an attack.
fn changed() -> &'static Scenario {
    static CHANGED: OnceLock<Scenario> = OnceLock::new();
    CHANGED.get_or_init(|| {
        let scenario = Scenario::example("locality");
        scenario.run(&["apply", "--auto-approve"]).expect_code(0);
        scenario.write("new.auto.vars.hcl", NEW);
        let attack = "<img src='http://127.0.0.1:9/image'><script src='http://127.0.0.1:9/script'></script>";
        let attack = format!("\noutput \"attack\" {{\n  value = \"{attack}\"\n}}\n");
        scenario.write("attack.mesh.hcl", &attack);
        scenario.run(&["plan", "--out", "mesh.plan"]).expect_code(0);
        scenario.write("plan.html", &scenario.run(&["show", "--html", "mesh.plan"]).expect_code(0).stdout);
        scenario.write("graph.html", &scenario.run(&["graph", "--html"]).expect_code(0).stdout);
        let large = Scenario::example("locality");
        large.write("large.auto.vars.hcl", &many());
        scenario.write("large.html", &large.run(&["graph", "--html"]).expect_code(0).stdout);
        scenario
    })
}

const NEW: &str = r#"
istio_version = "1.9.1"
clusters = {
  cluster1 = { network = "network1" }
  cluster2 = { network = "network2" }
  cluster4 = { network = "network2" }
}
nodes = {
  c1n1 = { cluster = "cluster1", region = "region1", zone = "zone1" }
  c1n2 = { cluster = "cluster1", region = "region1", zone = "zone3" }
  c2n1 = { cluster = "cluster2", region = "region2", zone = "zone1" }
  c2n2 = { cluster = "cluster2", region = "region2", zone = "zone2" }
  c4n1 = { cluster = "cluster4", region = "region3", zone = "zone1" }
}
"#;

/// Twenty clusters with a node each.
fn many() -> String {
    let (mut clusters, mut nodes) = (String::new(), String::new());
    for number in 1..=20 {
        let _ = writeln!(clusters, "  cluster{number} = {{ network = \"network{}\" }}", number % 3);
        let _ = writeln!(nodes, "  c{number}n1 = {{ cluster = \"cluster{number}\", region = \"region1\", zone = \"zone1\" }}");
    }
    format!("clusters = {{\n{clusters}}}\nnodes = {{\n{nodes}}}\n")
}

fn page(name: &str) -> PathBuf {
    changed().path().join(name)
}

/// The picture of a page; kept in the directory that `MESHPLAN_PICTURES` names, if there is one, for people to look at.
fn picture(browser: &Browser, name: &str, scheme: Scheme, size: (u32, u32)) -> Picture {
    let picture = browser.picture(&page(name), scheme, size);
    if let Some(directory) = std::env::var_os("MESHPLAN_PICTURES") {
        std::fs::write(PathBuf::from(directory).join(format!("{name}-{scheme:?}-{}.png", size.0)), &picture.file).unwrap();
    }
    picture
}

/// The values of a variable of the page's style, in light and in dark.
fn colours(name: &str) -> [[u8; 3]; 2] {
    let text = changed().read("plan.html");
    let values: Vec<_> = text.split(&format!("--{name}: #")).skip(1).map(|rest| u32::from_str_radix(&rest[..6], 16).unwrap()).collect();
    let [_, red, green, blue] = values[0].to_be_bytes();
    let [_, dark_red, dark_green, dark_blue] = values[1].to_be_bytes();
    [[red, green, blue], [dark_red, dark_green, dark_blue]]
}

/// The elements of a class that are shown, each as the text of its start tag.
fn shown<'a>(tree: &'a str, class: &str) -> Vec<&'a str> {
    let starts = tree.split('<').skip(1).map(|piece| piece.split('>').next().unwrap());
    let of_class = starts.filter(|tag| tag.contains(&format!("class=\"{class}")));
    of_class.filter(|tag| !tag.contains(" hidden=\"\"")).collect()
}

#[test]
fn what_changes_stands_out_in_light_and_dark() {
    let Some(browser) = browser::required() else { return };
    for (name, size, highlights) in [
        ("plan.html", (1400, 2000), &["create", "update", "delete"][..]),
        ("plan.html", (420, 2400), &["create", "update", "delete"]),
        ("graph.html", (1400, 2000), &["create"]),
        ("large.html", (1400, 1400), &["create"]),
    ] {
        for (at, scheme) in [Scheme::Light, Scheme::Dark].into_iter().enumerate() {
            let picture = picture(&browser, name, scheme, size);
            let (ground, card) = (colours("ground")[at], colours("card")[at]);
            assert!([ground, card].contains(&picture.ground()), "{name} {scheme:?}: {:?}", picture.ground());
            assert!(picture.count(ground) > 50_000 && picture.count(card) > 50_000, "{name} {scheme:?}");
            for highlight in highlights {
                let count = picture.count(colours(highlight)[at]);
                assert!(count > 300, "{name} {scheme:?}: {count} pixels of `{highlight}`");
                assert_eq!(picture.count(colours(highlight)[1 - at]), 0, "{name} {scheme:?}: `{highlight}` of the other scheme");
            }
        }
    }
}

#[test]
fn a_search_leaves_what_it_finds() {
    let Some(browser) = browser::required() else { return };
    let tree = |fragment: &str| browser.tree(&page("plan.html"), fragment);
    let everything = tree("");
    let all = shown(&everything, "change ");
    assert!(all.len() > 30 && everything.contains("id=\"filter\" role=\"search\">"), "the script ran: {}", all.len());
    for (fragment, wanted) in [
        ("q=cluster2", "cluster2"),
        ("q=cluster4%20secret", "cluster4"),
        ("q=istio_remote_secret.this%5B%22cluster3-in-cluster1%22%5D", ""),
        ("action=delete", "data-action=\"delete\""),
        ("kind=istio_operator&q=cluster1", "data-kind=\"istio_operator\""),
        ("q=1.9.1&action=update", "data-action=\"update\""),
        ("cluster=place-0", "place-0"),
        ("place-0", "place-0"),
    ] {
        let tree = tree(fragment);
        let found = shown(&tree, "change ");
        let (count, _) = tree.split_once(&format!(" of {} entries", all.len())).unwrap();
        let count: usize = count.rsplit('>').next().unwrap().parse().unwrap();
        // What holds something that fits stays with it.
        assert!((1..all.len()).contains(&count) && count <= found.len() && found.len() < all.len(), "{fragment}: {count}, {}", found.len());
        let fitting = found.iter().filter(|row| row.contains(wanted)).count();
        assert!(if wanted.starts_with("data-") { fitting == count } else { fitting > 0 }, "{fragment}: {found:#?}");
    }
    let nothing = tree("q=no-such-thing");
    assert_eq!((shown(&nothing, "change ").len(), shown(&nothing, "cluster").len()), (0, 0));
    let graph = browser.tree(&page("graph.html"), "q=cluster4");
    let lit = graph.matches("class=\"node").count() - graph.matches(" dimmed\" id=\"n").count();
    assert!(lit > 0 && graph.contains(&format!("{lit} of ")), "{lit}");
}

/// What a script of the test says of a page, run in it once its own has run.
fn asked(browser: &Browser, name: &str, fragment: &str, script: &str) -> String {
    let text = changed().read(name).replacen("http-equiv=\"Content-Security-Policy\"", "data-off=\"\"", 1);
    let script = format!("<script>document.title = String((() => {{ {script} }})());</script></body>");
    changed().write("asked.html", &text.replacen("</body>", &script, 1));
    let tree = browser.tree(&page("asked.html"), fragment);
    tree.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0.to_owned()
}

#[test]
fn nothing_but_pictures_and_tables_is_wider_than_the_window() {
    let Some(browser) = browser::required() else { return };
    for name in ["plan.html", "graph.html", "large.html"] {
        let wide =
            asked(&browser, name, "", "document.body.style.width = '400px'; return document.documentElement.scrollWidth <= innerWidth;");
        assert_eq!(wide, "true", "{name}");
        let inner = "const ends = (element) => element.getBoundingClientRect().right > document.body.getBoundingClientRect().right + 1;
            document.body.style.width = '400px';
            const within = [...document.querySelectorAll('main *')].filter((element) => !element.closest('.frame') && ends(element));
            return within.map((element) => element.tagName + '.' + element.className).join(' ');";
        assert_eq!(asked(&browser, name, "", inner), "", "{name}");
    }
}

#[test]
fn a_large_graph_begins_folded_and_opens_by_keyboard_and_search() {
    let Some(browser) = browser::required() else { return };
    let text = changed().read("large.html");
    assert!(text.matches("class=\"node ").count() > 200 && text.contains("data-begin=\"folded\""));
    let state = "const open = document.querySelectorAll('.lane-title[aria-expanded=true]').length;
        const shown = [...document.querySelectorAll('.node')].filter((node) => node.getClientRects().length && !node.closest('[display=none]')).length;
        const lines = [...document.querySelectorAll('.edge')].filter((edge) => !edge.hasAttribute('display')).length;
        return [open, shown, lines, document.querySelector('.nodes').getAttribute('height')].join(' ');";
    let tell = |fragment: &str, act: &str| {
        let told = asked(&browser, "large.html", fragment, &format!("{act}; {state}"));
        told.split(' ').map(|number| number.parse().unwrap()).collect::<Vec<usize>>()
    };
    let closed = tell("", "");
    assert!(closed[0] == 0 && closed[1] == 0 && (20..=420).contains(&closed[2]) && closed[3] < 1_500, "{closed:?}");
    let press = |key: &str| {
        format!(
            "document.querySelectorAll('.lane-title')[1].dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true }}))"
        )
    };
    for key in ["Enter", " "] {
        let one = tell("", &press(key));
        assert!(one[0] == 1 && (2..60).contains(&one[1]) && one[2] > closed[2] && one[3] > closed[3], "{one:?}");
        assert_eq!(tell("", &format!("{}; {}", press(key), press(key))), closed);
    }
    let all = tell("", "document.getElementById('unfold').click()");
    assert_eq!((all[0], all[1]), (text.matches("class=\"lane\"").count(), text.matches("class=\"node ").count()));
    assert_eq!(tell("", "document.getElementById('unfold').click(); document.getElementById('fold').click()"), closed);
    let found = tell("q=cluster7%22", "");
    assert!(found[0] > 0 && found[0] < all[0] && found[1] > 0, "{found:?}");
}

#[test]
fn a_page_asks_nobody_for_anything() {
    let Some(browser) = browser::required() else { return };
    let careless = "<img src='http://127.0.0.1:9/image'><script src='http://127.0.0.1:9/script'></script>";
    changed().write("careless.html", careless);
    let asked = browser.requests(&page("careless.html"));
    assert!(asked.iter().any(|url| url.contains("/image")) && asked.iter().any(|url| url.contains("/script")), "{asked:?}");
    // Were an attack ever markup, the policy of the page would still keep it from being loaded, and a script from running.
    let attack = format!("<main>{careless}<script>document.title = 'attacked'</script>");
    changed().write("attacked.html", &changed().read("plan.html").replacen("<main>", &attack, 1));
    for name in ["plan.html", "graph.html", "large.html", "attacked.html"] {
        let asked = browser.requests(&page(name));
        assert_eq!(asked, [""; 0], "{name}");
        assert!(browser.tree(&page(name), "").contains("<title>meshplan: "), "{name}");
    }
}
