//! YAML and JSON texts whose keys have several owners: some keys are changed, and the rest stays as it is written.

mod edit;
mod outline;

use crate::object_kind::Json;
use serde_json::Map;

/// What becomes of one key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// It gets this value; what it lies in is made where it is missing.
    Set(Json),
    /// It goes, with its value.
    Remove,
}

/// The value that a text holds. An empty text is an empty mapping.
///
/// Errors: the text is no YAML, holds several documents, or something else than a mapping; a fragment that quotes nothing of it.
pub(crate) fn parse(text: &str) -> Result<Json, String> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true, with_snippet: false };
    let documents: Vec<Json> = serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        let line = error.location().map(|at| format!(" (line {})", at.line())).unwrap_or_default();
        format!("is no YAML{line}")
    })?;
    let mut documents = documents.into_iter().filter(|document| !document.is_null());
    match (documents.next(), documents.next()) {
        (None, _) => Ok(Json::Object(Map::new())),
        (Some(Json::Object(entries)), None) => Ok(Json::Object(entries)),
        (Some(_), None) => Err("holds no mapping".to_owned()),
        (Some(_), Some(_)) => Err("holds more than one document".to_owned()),
    }
}

/// The text with these keys changed, one after the other. Order, comments and layout of the rest stay, unless a key cannot be changed where it
/// stands: then the whole is written anew, as YAML or JSON, whichever it was.
///
/// Errors: as [`parse`].
pub(crate) fn changed(text: &str, changes: &[(Vec<String>, Change)]) -> Result<String, String> {
    let mut value = parse(text)?;
    let mut text = text.to_owned();
    for (path, change) in changes {
        let mut wanted = value.clone();
        apply(&mut wanted, path, change);
        if wanted == value {
            continue;
        }
        let edited = edit::edited(&text, path, change);
        // What the text says counts, not what the edit meant.
        text = edited.filter(|edited| parse(edited).as_ref() == Ok(&wanted)).map_or_else(|| rendered(&text, &wanted), Ok)?;
        value = wanted;
    }
    Ok(text)
}

/// The value at a path.
pub(crate) fn at<'a>(value: &'a Json, path: &[String]) -> Option<&'a Json> {
    path.iter().try_fold(value, |value, step| value.as_object()?.get(step))
}

/// Whether the text is JSON, which YAML texts that are JSON as well are taken for.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<Json>(text).is_ok()
}

/// The value with one key changed.
pub(crate) fn apply(value: &mut Json, path: &[String], change: &Change) {
    let Some((step, rest)) = path.split_first() else { return };
    if !value.is_object() {
        if *change == Change::Remove {
            return;
        }
        *value = Json::Object(Map::new());
    }
    let Some(entries) = value.as_object_mut() else { return };
    match (rest.is_empty(), change) {
        (true, Change::Set(wanted)) => {
            entries.insert(step.clone(), wanted.clone());
        }
        (true, Change::Remove) => {
            entries.remove(step);
        }
        (false, Change::Set(_)) => apply(entries.entry(step.clone()).or_insert(Json::Null), rest, change),
        (false, Change::Remove) => {
            if let Some(next) = entries.get_mut(step) {
                apply(next, rest, change);
            }
        }
    }
}

/// The whole value written anew, as YAML or JSON, whichever the text is.
///
/// Errors: a fragment.
pub(crate) fn rendered(text: &str, value: &Json) -> Result<String, String> {
    let failed = "cannot be written again".to_owned();
    if is_json(text) { serde_json::to_string_pretty(value).map_err(|_| failed) } else { serde_saphyr::to_string(value).map_err(|_| failed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    fn set(text: &str, at: &str, value: Json) -> String {
        changed(text, &[(path(at), Change::Set(value))]).expect("a text")
    }

    fn remove(text: &str, at: &str) -> String {
        changed(text, &[(path(at), Change::Remove)]).expect("a text")
    }

    const PROXY: &str = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nbindAddress: 0.0.0.0 # all\nipvs:\n  excludeCIDRs: null\n  strictARP: false # layer 2\n  tcpTimeout: 0s\nkind: KubeProxyConfiguration\nmode: \"\"\n";

    #[test]
    fn a_key_changes_where_it_stands() {
        let expected = PROXY.replace("strictARP: false", "strictARP: true");
        assert_eq!(set(PROXY, "ipvs.strictARP", json!(true)), expected);
        assert_eq!(set(PROXY, "mode", json!("ipvs")), PROXY.replace("mode: \"\"", "mode: \"ipvs\""));
        assert_eq!(set(PROXY, "ipvs.excludeCIDRs", json!(["10.0.0.0/8"])), PROXY.replace("null", "[\"10.0.0.0/8\"]"));
        assert_eq!(set(PROXY, "ipvs.strictARP", json!(false)), PROXY);
    }

    #[test]
    fn a_missing_key_is_added_within_what_there_is() {
        assert_eq!(set(PROXY, "ipvs.scheduler", json!("rr")), PROXY.replace("0s\n", "0s\n  scheduler: rr\n"));
        assert_eq!(set(PROXY, "winkernel.networkName", json!("l2")), format!("{PROXY}winkernel:\n  networkName: l2\n"));
        assert_eq!(set("", "a.b", json!(1)), "a:\n  b: 1\n");
        assert_eq!(set("# only this\n", "a", json!("x")), "# only this\na: x\n");
        assert_eq!(set("a: {}\nb: 1", "a.c", json!(1)), "a: {\"c\": 1}\nb: 1");
        assert_eq!(set("a: 1", "b", json!(2)), "a: 1\nb: 2\n");
        assert_eq!(set("a:\nb: 1\n", "a.c", json!(1)), "a: {\"c\": 1}\nb: 1\n");
        assert_eq!(set("a: {b: 1}\n", "a.c", json!("no")), "a: {b: 1, \"c\": \"no\"}\n");
    }

    #[test]
    fn keys_go_with_their_values() {
        assert_eq!(remove(PROXY, "ipvs.strictARP"), PROXY.replace("  strictARP: false # layer 2\n", ""));
        assert_eq!(remove(PROXY, "mode"), PROXY.replace("mode: \"\"\n", ""));
        assert_eq!(remove(PROXY, "not.there"), PROXY);
        assert_eq!(remove("a:\n  b: 1\nc: 2\n", "a.b"), "a:\n  {}\nc: 2\n");
        assert_eq!(remove("a:\n  b:\n    c: |\n      x\n      y\n# of d\nd: 2\n", "a"), "# of d\nd: 2\n");
    }

    #[test]
    fn json_stays_json() {
        let text = "{\n  \"cniVersion\": \"0.3.1\",\n  \"mtu\": 1500\n}\n";
        assert_eq!(set(text, "mtu", json!(1400)), text.replace("1500", "1400"));
        assert_eq!(set(text, "name", json!("x")), text.replace("1500", "1500,\n  \"name\": \"x\""));
        assert_eq!(set("{}", "a.b", json!("x")), "{\"a\": {\"b\": \"x\"}}");
        let removed = remove(text, "mtu");
        assert_eq!(serde_json::from_str::<Json>(&removed).expect("JSON"), json!({ "cniVersion": "0.3.1" }));
    }

    #[test]
    fn what_cannot_be_edited_is_written_anew_and_says_the_same() {
        for (text, at, value) in [
            ("base: &b { x: 1 }\na: *b\n", "a.x", json!(2)),
            ("a:\n  - 1\n  - 2\nb: 1\n", "a", json!({ "c": [1, { "d": null }] })),
            ("? a\n: 1\n", "a", json!(2)),
            ("a: |\n  one\n  two\nb: 1\n", "a", json!("three: 3 # not a comment")),
            ("\"a\": 'it''s'\n", "a", json!("it's")),
            ("a: 1\n...\n", "b", json!(2)),
            ("ä: ö\nb: 1\n", "b", json!("ü")),
        ] {
            let mut wanted = parse(text).expect("YAML");
            apply(&mut wanted, &path(at), &Change::Set(value.clone()));
            assert_eq!(parse(&set(text, at, value)), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn words_that_yaml_takes_for_something_else_are_quoted() {
        for word in
            ["yes", "no", "on", "null", "~", "1.5", "0644", "a: b", "a #b", "", " x", "1:30", "=", "é", "two\nlines", "0x1f", "12e3"]
        {
            let text = set("a: 1\n", "a", json!(word));
            assert_eq!(parse(&text), Ok(json!({ "a": word })), "{text}");
        }
    }

    #[test]
    fn only_one_mapping_can_be_edited() {
        for (text, why) in
            [("a: [", "is no YAML (line 1)"), ("- 1", "holds no mapping"), ("a: 1\n---\nb: 2\n", "holds more than one document")]
        {
            assert_eq!(changed(text, &[(path("a"), Change::Remove)]), Err(why.to_owned()), "{text}");
        }
    }
}
