//! The built-in module `dnsmasq` with a real dnsmasq, on addresses of the Engine's network, asked as everybody asks it.

use super::kind_mesh::{APPLY, DESTROY, SETTLED, run};
use meshplan_tests::docker::{self, Engine};
use meshplan_tests::required::Missing;
use meshplan_tests::scenario::Scenario;
use std::sync::Once;

const IMAGE: &str = "dnsmasq:test";

/// Two servers, of which the first asks the second, and the questions that are put to the first.
const SERVERS: &str = r#"
locals {
  vips = { first = "NET.39", second = "NET.38" }
}

resource "host_vip" "this" {
  for_each = local.vips
  device   = "DEVICE"
  address  = each.value
}

module "second" {
  source  = "builtin:dnsmasq"
  image   = "dnsmasq:test"
  pull    = false
  name    = "DEVICE-second"
  address = host_vip.this["second"].address
  hosts   = { "outside.example" = ["192.0.2.7", "2001:db8::7"] }
}

module "first" {
  source    = "builtin:dnsmasq"
  image     = "dnsmasq:test"
  pull      = false
  name      = "DEVICE-first"
  address   = host_vip.this["first"].address
  upstreams = [module.second.address]
  domains   = { "istio-cls1.com" = "10.2.1.40", "istio-cls2.com" = ["10.2.1.42", "10.2.1.41", "fd00::41"], "blocked.example" = [] }
  hosts     = { "db.example" = "10.2.1.50" }
}

locals {
  expected = {
    "istio-cls1.com"         = { addresses = ["10.2.1.40"], status = { A = "NOERROR", AAAA = "NODATA" } }
    "www.istio-cls1.com"     = { addresses = ["10.2.1.40"], status = { A = "NOERROR", AAAA = "NODATA" } }
    "a.b.istio-cls2.com"     = { addresses = ["10.2.1.41", "10.2.1.42", "fd00::41"], status = { A = "NOERROR", AAAA = "NOERROR" } }
    "ads.blocked.example"    = { addresses = [], status = { A = "NXDOMAIN", AAAA = "NXDOMAIN" } }
    "db.example"             = { addresses = ["10.2.1.50"], status = { A = "NOERROR", AAAA = "NODATA" } }
    "nobody.db.example"      = { addresses = [], status = { A = "NXDOMAIN", AAAA = "NXDOMAIN" } }
    "outside.example"        = { addresses = ["192.0.2.7", "2001:db8::7"], status = { A = "NOERROR", AAAA = "NOERROR" } }
    "nobody.outside.example" = { addresses = [], status = { A = "NXDOMAIN", AAAA = "NXDOMAIN" } }
    "elsewhere.example"      = { addresses = [], status = { A = "REFUSED", AAAA = "REFUSED" } }
  }
}

check "answers" {
  data "dns_lookup" "udp" {
    server = module.first.address
    names  = keys(local.expected)
  }
  data "dns_lookup" "tcp" {
    server    = module.first.address
    names     = keys(local.expected)
    transport = "tcp"
  }
  assert {
    condition     = jsonencode(data.dns_lookup.udp.addresses) == jsonencode({ for name, expected in local.expected : name => expected.addresses })
    error_message = "over UDP ${jsonencode(data.dns_lookup.udp.addresses)}"
  }
  assert {
    condition     = jsonencode(data.dns_lookup.udp.status) == jsonencode({ for name, expected in local.expected : name => expected.status })
    error_message = "over UDP ${jsonencode(data.dns_lookup.udp.status)}"
  }
  assert {
    condition     = data.dns_lookup.tcp.addresses == data.dns_lookup.udp.addresses && data.dns_lookup.tcp.status == data.dns_lookup.udp.status
    error_message = "over TCP ${jsonencode(data.dns_lookup.tcp)}"
  }
}
"#;

/// The Engine with the image in it.
fn engine() -> Option<&'static Engine> {
    static IMPORTED: Once = Once::new();
    let engine = docker::shared()?;
    let mut missing = Missing::default();
    if missing.any_of(["dnsmasq", "ldd", "nsenter", "ip", "getent"]) {
        missing.close();
        return None;
    }
    IMPORTED.call_once(|| engine.import_program("dnsmasq", IMAGE));
    Some(engine)
}

/// A copy of `/etc` in memory, whose resolver asks nobody yet.
const ETC: &str = "
mount -t tmpfs none /mnt
cp -a /etc /mnt/etc 2>/dev/null || true
mount --bind /mnt/etc /etc
umount /etc/resolv.conf 2>/dev/null || true
rm -f /etc/resolv.conf
echo 'nameserver 192.0.2.1' >/etc/resolv.conf
mount -t tmpfs none /run
";

/// A configuration in the Engine's network, on a device of the test's own with the addresses below `net`.
fn scenario(engine: &Engine, configuration: &str, (device, net): (&str, &str)) -> Scenario {
    let mut scenario = engine.scenario(&configuration.replace("DEVICE", device).replace("NET", net));
    let link = format!("ip link add {device} type bridge\nip link set {device} up\nip address add {net}.5/24 dev {device}\n");
    scenario.enter(engine.network(&format!("{link}{ETC}")));
    scenario
}

/// Applies, after which the check has to hold, and nothing is left to do. A check of what does not change is told where it fails.
fn settle(scenario: &Scenario) {
    let told = run(scenario, &APPLY, 0);
    assert!(told.contains("check.answers: passed") || told.starts_with("No changes"), "{told}");
    let settled = run(scenario, &SETTLED, 0);
    assert!(!settled.contains("failed") && !settled.contains("not run"), "{settled}");
}

#[test]
fn names_are_answered_as_configured_and_defects_are_mended() {
    let Some(engine) = engine() else { return };
    let (device, first) = ("dns0", "dns0-first");
    let scenario = scenario(engine, SERVERS, (device, "10.92.1"));
    settle(&scenario);

    // A changed configuration takes effect with the apply, in the container that is there.
    let id = engine.inspect("container", first).unwrap()["Id"].clone();
    scenario.replace("main.mesh.hcl", "= \"10.2.1.40\",", "= \"10.2.1.45\",");
    let told = run(&scenario, &SETTLED, 2);
    assert!(told.contains("istio-cls1.com/10.2.1.45") && told.contains("1 to change"), "{told}");
    let told = run(&scenario, &APPLY, 0);
    assert!(told.contains("check.answers: failed") && told.contains(r#""www.istio-cls1.com":["10.2.1.45"]"#), "{told}");
    scenario.replace(
        "main.mesh.hcl",
        "[\"10.2.1.40\"], status = { A = \"NOERROR\", AAAA = \"NODATA\" } }\n    \"www",
        "[\"10.2.1.45\"], status = { A = \"NOERROR\", AAAA = \"NODATA\" } }\n    \"www",
    );
    scenario.replace("main.mesh.hcl", "[\"10.2.1.40\"]", "[\"10.2.1.45\"]");
    settle(&scenario);
    assert_eq!(engine.inspect("container", first).unwrap()["Id"], id);

    // What was done by hand shows in the plan, in the checks as well, and is mended.
    let edit = "echo address=/db.example/10.6.6.6 >>/etc/dnsmasq.conf";
    let vip = format!("ip address del 10.92.1.39/32 dev {device}");
    let damages: [(&str, &dyn Fn()); 4] = [
        ("files", &|| drop(engine.docker(&["exec", first, "sh", "-c", edit]))),
        ("running", &|| drop(engine.docker(&["stop", "--time", "0", first]))),
        ("deleted outside", &|| drop(engine.docker(&["rm", "--force", first]))),
        ("deleted outside", &|| drop(scenario.namespace().unwrap().shell(&vip))),
    ];
    for (word, damage) in damages {
        damage();
        let told = run(&scenario, &SETTLED, 2);
        assert!(told.contains(word), "{word}: {told}");
        settle(&scenario);
    }

    run(&scenario, &DESTROY, 0);
    assert_eq!((engine.inspect("container", first), engine.inspect("container", "dns0-second")), (None, None));
    let left = scenario.namespace().unwrap().shell(&format!("ip -o -4 address show dev {device}"));
    assert!(left.contains("10.92.1.5/24") && !left.contains("10.92.1.3"), "{left}");
    assert!(engine.inspect("image", IMAGE).is_some(), "the image was there before");
}

#[test]
fn the_host_asks_the_server_and_stops_before_it_goes() {
    let Some(engine) = engine() else { return };
    let resolver = r#"
resource "host_vip" "dns" {
  device  = "DEVICE"
  address = "NET.39"
}
module "dns" {
  source  = "builtin:dnsmasq"
  image   = "dnsmasq:test"
  name    = "DEVICE-server"
  address = host_vip.dns.address
  domains = { "istio-cls1.com" = "NET.40" }
}
resource "host_resolver" "this" {
  nameservers = [module.dns.address]
  domains     = ["istio-cls1.com"]
}
"#;
    let scenario = scenario(engine, resolver, ("dns1", "10.92.2"));
    run(&scenario, &APPLY, 0);
    run(&scenario, &SETTLED, 0);
    let shell = |script: &str| scenario.namespace().unwrap().shell(script);
    assert!(shell("getent ahostsv4 www.istio-cls1.com").starts_with("10.92.2.40 "), "{}", shell("cat /etc/resolv.conf"));
    let told = run(&scenario, &DESTROY, 0);
    let at = |word: &str| told.find(word).unwrap_or_else(|| panic!("{word}: {told}"));
    assert!(at("host_resolver.this: deleted") < at("docker_container.this: deleted"), "{told}");
    assert_eq!(shell("cat /etc/resolv.conf"), "nameserver 192.0.2.1\n");
    assert_eq!(engine.inspect("container", "dns1-server"), None);
}

#[test]
fn a_port_that_somebody_has_is_told_by_the_plan() {
    let Some(engine) = engine() else { return };
    let server = "module \"dns\" {\n  source = \"builtin:dnsmasq\"\n  image = \"dnsmasq:test\"\n  pull = false\n  name = \"DEVICE-server\"\n  address = \"NET.5\"\n}\n";
    let scenario = scenario(engine, server, ("dns3", "10.92.4"));
    let shell = |script: &str| scenario.namespace().unwrap().shell(script);
    run(&scenario, &["plan"], 0);
    // A program of the host, on one transport alone.
    let held = "busybox httpd -f -p 10.92.4.5:53 </dev/null >/dev/null 2>&1 & echo $!; sleep 0.3";
    let holder = shell(held);
    let told = run(&scenario, &["plan"], 1);
    assert!(told.contains("error: port taken") && told.contains("`10.92.4.5:53`") && told.contains("sudo ss -Hlntp"), "{told}");
    shell(&format!("kill {holder}"));
    // Another container, with a command that ends it.
    engine.docker(&[
        "run",
        "--detach",
        "--name",
        "dns3-other",
        "--publish",
        "10.92.4.5:53:53/udp",
        meshplan_tests::docker::IMAGE,
        "sleep",
        "1000",
    ]);
    let told = run(&scenario, &["plan"], 1);
    assert!(told.contains("error: port taken") && told.contains("docker stop dns3-other"), "{told}");
    engine.docker(&["rm", "--force", "dns3-other"]);
    run(&scenario, &APPLY, 0);
    run(&scenario, &SETTLED, 0);
    run(&scenario, &DESTROY, 0);
}

/// A server on an address of each family.
const TESTED: &str = r#"
resource "host_vip" "dns" {
  device  = "DEVICE"
  address = "NET.39"
}
module "dns" {
  source  = "builtin:dnsmasq"
  image   = "dnsmasq:test"
  pull    = false
  name    = "DEVICE-server"
  address = host_vip.dns.address
  hosts   = { "db.example" = "NET.50" }
}
output "server" {
  value = module.dns.address
}
resource "host_vip" "six" {
  device  = "DEVICE"
  address = "fd00:92:3::39"
}
module "six" {
  source  = "builtin:dnsmasq"
  image   = "dnsmasq:test"
  pull    = false
  name    = "DEVICE-six"
  address = host_vip.six.address
  hosts   = { "six.example" = "fd00:92:3::50" }
}
output "six" {
  value = module.six.address
}
"#;

/// What a test asks of both.
const TEST: &str = r#"
run "answers" {
  data "dns_lookup" "db" {
    server  = output.server
    names   = ["db.example"]
    types   = ["A"]
    timeout = "2s"
  }
  data "dns_lookup" "six" {
    server = output.six
    names  = ["six.example"]
  }
  retry_until {
    condition = data.dns_lookup.db.status["db.example"]["A"] == "NOERROR"
    timeout   = "30s"
    interval  = "1s"
  }
  assert {
    condition     = data.dns_lookup.db.addresses["db.example"] == tolist(["10.92.3.50"])
    error_message = "it is ${jsonencode(data.dns_lookup.db.addresses)}"
  }
  assert {
    condition     = jsonencode(data.dns_lookup.six.status) == jsonencode({ "six.example" = { A = "NODATA", AAAA = "NOERROR" } })
    error_message = "over IPv6 it is ${jsonencode(data.dns_lookup.six)}"
  }
}
"#;

#[test]
fn a_test_waits_until_names_are_answered() {
    let Some(engine) = engine() else { return };
    let scenario = scenario(engine, TESTED, ("dns2", "10.92.3"));
    scenario.write("main.meshtest.hcl", TEST);
    run(&scenario, &["test"], 0);
    assert_eq!(engine.inspect("container", "dns2-server"), None);
    // The same test of a name that nobody has fails, and says so.
    scenario.replace("main.meshtest.hcl", "timeout   = \"30s\"", "timeout   = \"2s\"");
    scenario.replace("main.mesh.hcl", "db.example", "other.example");
    let told = run(&scenario, &["test"], 1);
    assert!(told.contains("retry_until"), "{told}");
}
