//! How a bucket is reached: arguments, then environment variables and files as AWS has them.

use crate::settings::Wrong;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A builder for the bucket of a `backend "s3"` block with these arguments.
///
/// What the arguments do not say, the variables do that begin with `AWS_`. Without keys in either, those of a profile count, from
/// `~/.aws/credentials` or `AWS_SHARED_CREDENTIALS_FILE`; and without one, what the machine itself is given: a web identity, a container's
/// role, an instance's role.
pub fn bucket_builder(arguments: &BTreeMap<String, String>, environment: &BTreeMap<String, String>) -> Result<AmazonS3Builder, Wrong> {
    let mut builder = AmazonS3Builder::new();
    for (name, text) in environment.iter().filter(|(name, text)| name.starts_with("AWS_") && !text.is_empty()) {
        if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
            builder = builder.with_config(key, text);
        }
    }
    let set = |name: &str| environment.contains_key(name) || arguments.contains_key("access_key");
    let wanted = arguments.get("profile").or_else(|| environment.get("AWS_PROFILE"));
    if arguments.contains_key("profile") || !set("AWS_ACCESS_KEY_ID") {
        match (profile(wanted.map_or("default", String::as_str), environment), arguments.get("profile")) {
            (Some(keys), _) => builder = keys.into_iter().fold(builder, |builder, (key, text)| builder.with_config(key, text)),
            (None, Some(name)) => {
                let why = format!("no credentials file has a profile `{name}`");
                return Err(Wrong::argument("profile", why, "Profiles stand in `~/.aws/credentials`."));
            }
            (None, None) => {}
        }
    }
    let is = |name: &str| match arguments.get(name).map(String::as_str) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(Wrong::argument(name, format!("`{other}` is neither `true` nor `false`"), "Write one of the two.")),
    };
    for (name, key) in [
        ("region", AmazonS3ConfigKey::Region),
        ("endpoint", AmazonS3ConfigKey::Endpoint),
        ("access_key", AmazonS3ConfigKey::AccessKeyId),
        ("secret_key", AmazonS3ConfigKey::SecretAccessKey),
        ("token", AmazonS3ConfigKey::Token),
    ] {
        if let Some(text) = arguments.get(name) {
            builder = builder.with_config(key, text);
        }
    }
    let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
    if endpoint.as_deref().is_some_and(has_password) {
        let why = "`endpoint` has a user and a password in it, which would be written down and shown".to_owned();
        return Err(Wrong::argument("endpoint", why, "Give them as `access_key` and `secret_key`, or in the environment."));
    }
    let builder = builder.with_allow_http(endpoint.is_some_and(|url| url.starts_with("http://")));
    Ok(if arguments.contains_key("use_path_style") { builder.with_virtual_hosted_style_request(!is("use_path_style")?) } else { builder })
}

/// Whether a URL has a user in it, and so perhaps a password.
fn has_password(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    authority.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

/// The keys of a profile, if a credentials file has them.
fn profile(name: &str, environment: &BTreeMap<String, String>) -> Option<Vec<(AmazonS3ConfigKey, String)>> {
    let named = environment.get("AWS_SHARED_CREDENTIALS_FILE").map(PathBuf::from);
    let path = named.or_else(|| Some(PathBuf::from(environment.get("HOME")?).join(".aws").join("credentials")))?;
    let text = std::fs::read_to_string(path).ok()?;
    let keys = section(&text, name)?;
    let key = |name: &str, key| keys.get(name).map(|text| (key, (*text).to_owned()));
    let id = key("aws_access_key_id", AmazonS3ConfigKey::AccessKeyId)?;
    let secret = key("aws_secret_access_key", AmazonS3ConfigKey::SecretAccessKey)?;
    Some([id, secret].into_iter().chain(key("aws_session_token", AmazonS3ConfigKey::Token)).collect())
}

/// What stands in a section of such a file.
fn section<'t>(text: &'t str, name: &str) -> Option<BTreeMap<&'t str, &'t str>> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.strip_prefix('[').and_then(|line| line.strip_suffix(']')).is_some_and(|found| found.trim() == name))?;
    let own = lines.take_while(|line| !line.starts_with('['));
    Some(own.filter_map(|line| line.split_once('=')).map(|(key, text)| (key.trim(), text.trim())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn arguments_stand_over_the_environment_and_keys_over_a_profile() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("credentials");
        std::fs::write(
            &file,
            "[default]\naws_access_key_id = d\naws_secret_access_key=ds\n\n[ops]\n aws_access_key_id = o\n aws_secret_access_key = os\n",
        )
        .unwrap();
        let file = file.display().to_string();
        let home = ("AWS_SHARED_CREDENTIALS_FILE", file.as_str());
        for (arguments, environment, id, region) in [
            (&[][..], &[home][..], Some("d"), None),
            (&[], &[home, ("AWS_PROFILE", "ops"), ("AWS_REGION", "r1")], Some("o"), Some("r1")),
            (&[("profile", "ops"), ("region", "r2")], &[home, ("AWS_ACCESS_KEY_ID", "e"), ("AWS_REGION", "r1")], Some("o"), Some("r2")),
            (&[], &[home, ("AWS_ACCESS_KEY_ID", "e"), ("AWS_PROFILE", "ops")], Some("e"), None),
            (&[("access_key", "a")], &[home, ("AWS_ACCESS_KEY_ID", "e")], Some("a"), None),
            (&[("access_key", "a")], &[home], Some("a"), None),
            (&[], &[], None, None),
        ] {
            let builder = bucket_builder(&map(arguments), &map(environment)).unwrap();
            let value = |key| builder.get_config_value(&key);
            assert_eq!(value(AmazonS3ConfigKey::AccessKeyId).as_deref(), id, "{arguments:?} {environment:?}");
            assert_eq!(value(AmazonS3ConfigKey::Region).as_deref(), region, "{arguments:?} {environment:?}");
        }
    }
}
