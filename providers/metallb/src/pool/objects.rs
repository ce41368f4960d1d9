//! What a pool is to its MetalLB: a text up to 0.12, objects from 0.13 on.

use super::namespace;
use engine::value::{Type, Value};
use std::fmt::Write as _;

const API: &str = "metallb.io/v1beta1";

/// `IPAddressPool` and `L2Advertisement`. Without the latter addresses are given and not announced.
pub(super) fn resources(arguments: &Value) -> Vec<Value> {
    let at = |name| arguments.get(name).cloned().unwrap_or_else(Value::null);
    let resource = |kind, spec| {
        let metadata = Value::object([("name", at("name")), ("namespace", Value::string(namespace(arguments)))]);
        Value::object([("apiVersion", Value::string(API)), ("kind", Value::string(kind)), ("metadata", metadata), ("spec", spec)])
    };
    let pool = [("addresses", at("addresses")), ("autoAssign", at("auto_assign")), ("avoidBuggyIPs", at("avoid_buggy_ips"))];
    let advertisement = Value::object([("ipAddressPools", Value::tuple(vec![at("name")]))]);
    vec![resource("IPAddressPool", Value::object(pool)), resource("L2Advertisement", advertisement)]
}

/// The `ConfigMap` that MetalLB reads up to 0.12, with this pool in it.
pub(super) fn config(arguments: &Value) -> Value {
    let metadata = Value::object([("name", Value::string("config")), ("namespace", Value::string(namespace(arguments)))]);
    let text = text(arguments).map_or_else(|| Value::unknown(Type::String), Value::string);
    let data = Value::object([("config", text)]);
    Value::object([("apiVersion", Value::string("v1")), ("kind", Value::string("ConfigMap")), ("metadata", metadata), ("data", data)])
}

/// The text, once all in it is known. Names and addresses are quoted as JSON does it, which is YAML as well.
fn text(arguments: &Value) -> Option<String> {
    let quoted = |value: &Value| value.as_str().map(|text| serde_json::Value::from(text).to_string());
    let mut text = format!("address-pools:\n- name: {}\n  protocol: layer2\n", quoted(arguments.get("name")?)?);
    for (name, key, usual) in [("auto_assign", "auto-assign", true), ("avoid_buggy_ips", "avoid-buggy-ips", false)] {
        let given = arguments.get(name)?.as_bool()?;
        if given != usual {
            writeln!(text, "  {key}: {given}").ok()?;
        }
    }
    text.push_str("  addresses:\n");
    let addresses = arguments.get("addresses").filter(|addresses| addresses.is_known())?;
    for address in addresses.items() {
        writeln!(text, "  - {}", quoted(address)?).ok()?;
    }
    Some(text)
}
