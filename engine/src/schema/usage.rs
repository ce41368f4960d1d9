//! Who uses a thing that is to be deleted, of which nothing in the state tells.

use crate::value::Value;

/// Something that uses a thing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// What it is called, such as ``pod `sample/a` ``.
    pub name: String,
    /// Uids and identities of that with which it goes, itself among them: if the plan deletes one of these first, it is no user any more.
    pub holders: Vec<String>,
    /// Whether it may also be changed to do without the thing: if the plan changes one of its holders first, that is looked at when it is done.
    pub lets_go: bool,
    /// Whether that it is left without the thing is only worth a look.
    pub warns: bool,
}

/// Who uses a thing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// What is used, as a fragment, such as ``the revision `1-30` ``.
    pub subject: String,
    /// What to do about users that stay.
    pub help: Option<String>,
    /// Everyone who uses it.
    pub users: Vec<User>,
}

impl Usage {
    /// The usage as the answer of a provider.
    pub fn told(&self) -> Value {
        let texts = |texts: &[String]| Value::tuple(texts.iter().map(|text| Value::string(text.as_str())).collect());
        let user = |User { name, holders, lets_go, warns }: &User| {
            Value::object([
                ("name", Value::string(name.as_str())),
                ("holders", texts(holders)),
                ("lets_go", Value::bool(*lets_go)),
                ("warns", Value::bool(*warns)),
            ])
        };
        Value::object([
            ("subject", Value::string(self.subject.as_str())),
            ("help", self.help.as_deref().map_or_else(Value::null, Value::string)),
            ("users", Value::tuple(self.users.iter().map(user).collect())),
        ])
    }

    /// Reads such an answer.
    pub(crate) fn heard(told: &Value) -> Self {
        let text = |value: &Value, name: &str| value.text(name).map(str::to_owned);
        let is = |value: &Value, name: &str| value.get(name).and_then(Value::as_bool) == Some(true);
        let user = |user: &Value| {
            let holders = user.get("holders").map(Value::items).unwrap_or_default();
            let holders = holders.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            User { name: text(user, "name").unwrap_or_default(), holders, lets_go: is(user, "lets_go"), warns: is(user, "warns") }
        };
        let users = told.get("users").map(Value::items).unwrap_or_default();
        Self { subject: text(told, "subject").unwrap_or_default(), help: text(told, "help"), users: users.iter().map(user).collect() }
    }
}

/// How many users are named; the others are counted.
const NAMED: usize = 3;

/// Users as they read in a sentence: the first few by name, the others by their number.
pub fn named<T: AsRef<str>>(users: &[T]) -> String {
    let first: Vec<_> = users.iter().take(NAMED).map(AsRef::as_ref).collect();
    match users.len() {
        many if many > NAMED => format!("{} and {} more", first.join(", "), many - NAMED),
        _ => first.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_heard_as_it_was_told() {
        let pod = User { name: "pod `n/a`".into(), holders: vec!["uid-1".into(), "Namespace/n".into()], ..User::default() };
        let tag = User { name: "tag `stable`".into(), lets_go: true, warns: true, ..User::default() };
        for usage in
            [Usage { subject: "the revision `1-30`".into(), help: Some("Move it.".into()), users: vec![pod, tag] }, Usage::default()]
        {
            assert_eq!(Usage::heard(&usage.told()), usage);
        }
    }

    #[test]
    fn the_first_few_are_named_and_the_others_counted() {
        for (users, expected) in [(vec!["a"], "a"), (vec!["a", "b", "c"], "a, b, c"), (vec!["a", "b", "c", "d", "e"], "a, b, c and 2 more")]
        {
            assert_eq!(named(&users), expected);
        }
    }
}
