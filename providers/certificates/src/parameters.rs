//! What a certificate is asked to be: subject, algorithm, validity.

use engine::diagnostic::did_you_mean;
use engine::schema::{Attribute, Problem};
use engine::value::{Type, Value};
use std::fmt;

/// The key algorithms that istiod can sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    EcdsaP256,
    EcdsaP384,
    Rsa2048,
    Rsa4096,
}

const ALGORITHMS: [Algorithm; 4] = [Algorithm::EcdsaP256, Algorithm::EcdsaP384, Algorithm::Rsa2048, Algorithm::Rsa4096];

impl Algorithm {
    /// The algorithm of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        ALGORITHMS.into_iter().find(|algorithm| algorithm.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa4096 => "rsa-4096",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A part of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Country,
    Province,
    Locality,
    Organization,
    OrganizationalUnit,
    CommonName,
}

/// The parts in the order of the distinguished name, with their names in configuration.
pub(crate) const PARTS: [(&str, Part); 6] = [
    ("country", Part::Country),
    ("province", Part::Province),
    ("locality", Part::Locality),
    ("organization", Part::Organization),
    ("organizational_unit", Part::OrganizationalUnit),
    ("common_name", Part::CommonName),
];

/// The parts that a subject gives.
pub(crate) fn subject(arguments: &Value) -> Vec<(Part, String)> {
    let Some(subject) = arguments.present("subject") else { return Vec::new() };
    PARTS.iter().filter_map(|(name, part)| Some((*part, subject.text(name)?.to_owned()))).collect()
}

/// The attributes that say what to make. Names and defaults of the subject follow Istio's own `tools/certs`.
pub(crate) fn attributes(common_name: &str, days: u64, days_doc: &'static str) -> [Attribute; 3] {
    let ty = Type::object(PARTS.map(|(name, _)| (name, Type::String, true)));
    let default = Value::object(PARTS.map(|(name, part)| {
        let value = match part {
            Part::Organization => Value::string("Istio"),
            Part::CommonName => Value::string(common_name),
            Part::Country | Part::Province | Part::Locality | Part::OrganizationalUnit => Value::null(),
        };
        (name, value)
    }));
    [
        Attribute::optional("subject", ty, "Subject of the certificate. Without it organization is `Istio`.").default(default),
        Attribute::optional("algorithm", Type::String, "Key algorithm: `ecdsa-p256`, `ecdsa-p384`, `rsa-2048` or `rsa-4096`.")
            .default(Value::string(Algorithm::EcdsaP256.name())),
        Attribute::optional("validity_days", Type::Number, days_doc).default(Value::number(days)),
    ]
}

/// What is wrong with subject, algorithm and validity.
pub(crate) fn problems(arguments: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(arguments.text("algorithm").and_then(algorithm_problem));
    problems.extend(arguments.present("subject").filter(|subject| subject.is_known()).and_then(subject_problem));
    let days = arguments.present("validity_days").filter(|days| days.is_known());
    if days.is_some_and(|days| days.as_u64().is_none_or(|days| days == 0 || days > MOST_DAYS)) {
        let detail = format!("`validity_days` is a whole number from 1 to {MOST_DAYS}");
        problems.push(Problem::with("validity_days", "wrong validity", detail));
    }
    problems
}

/// A hundred years.
const MOST_DAYS: u64 = 36_500;

fn algorithm_problem(name: &str) -> Option<Problem> {
    if Algorithm::named(name).is_some() {
        return None;
    }
    if name == "ed25519" {
        let detail = "istiod supports RSA and ECDSA keys only; with an Ed25519 authority it does not start";
        return Some(Problem::with("algorithm", "unsupported algorithm", detail).help("Use `ecdsa-p256`: as short, and supported."));
    }
    let known = ALGORITHMS.map(|known| format!("`{known}`")).join(", ");
    let problem = Problem::with("algorithm", "unknown algorithm", format!("`{name}` is none of {known}"));
    Some(match did_you_mean(name, ALGORITHMS.map(Algorithm::name)) {
        Some(near) => problem.help(format!("Did you mean `{near}`?")),
        None => problem,
    })
}

fn subject_problem(subject: &Value) -> Option<Problem> {
    let wrong = |detail: String| Some(Problem::with("subject", "wrong subject", detail));
    if PARTS.iter().all(|(name, _)| subject.text(name).is_none_or(str::is_empty)) {
        return wrong("a subject names at least one of its parts, such as `common_name`".to_owned());
    }
    if let Some(country) = subject.text("country")
        && !(country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()))
    {
        return wrong(format!("`country` is a code of two capital letters, and `{country}` is not"));
    }
    // Upper bounds of RFC 5280, appendix A.1.
    PARTS.iter().find_map(|(name, part)| {
        let most = if matches!(part, Part::Province | Part::Locality) { 128 } else { 64 };
        let length = subject.text(name)?.chars().count();
        if length > most { wrong(format!("`{name}` has {length} characters and may have {most}")) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(entries: &[(&str, Value)]) -> Value {
        Value::object(entries.iter().map(|(name, value)| (*name, value.clone())))
    }

    fn subject_of(entries: &[(&str, &str)]) -> Value {
        arguments(&[("subject", Value::object(entries.iter().map(|(name, text)| (*name, Value::string(*text)))))])
    }

    #[test]
    fn what_istiod_cannot_use_is_refused_with_the_reason() {
        let algorithm = |name: &str| arguments(&[("algorithm", Value::string(name))]);
        let days = |days: &str| arguments(&[("validity_days", Value::number(engine::value::parse_number(days).unwrap()))]);
        let rows = [
            (algorithm("ecdsa-p256"), None),
            (algorithm("rsa-4096"), None),
            (algorithm("ed25519"), Some("istiod supports RSA and ECDSA keys only; with an Ed25519 authority it does not start")),
            (algorithm("rsa-1024"), Some("`rsa-1024` is none of `ecdsa-p256`, `ecdsa-p384`, `rsa-2048`, `rsa-4096`")),
            (days("1"), None),
            (days("0"), Some("`validity_days` is a whole number from 1 to 36500")),
            (days("1.5"), Some("`validity_days` is a whole number from 1 to 36500")),
            (days("36501"), Some("`validity_days` is a whole number from 1 to 36500")),
            (subject_of(&[("common_name", "Root CA"), ("country", "DE")]), None),
            (subject_of(&[("country", "Germany")]), Some("`country` is a code of two capital letters, and `Germany` is not")),
            (subject_of(&[("country", "de")]), Some("`country` is a code of two capital letters, and `de` is not")),
            (subject_of(&[]), Some("a subject names at least one of its parts, such as `common_name`")),
            (subject_of(&[("common_name", &"x".repeat(65))]), Some("`common_name` has 65 characters and may have 64")),
            (subject_of(&[("locality", &"x".repeat(65))]), None),
            (arguments(&[("algorithm", Value::unknown(Type::String)), ("subject", Value::unknown(Type::Any))]), None),
        ];
        for (arguments, expected) in rows {
            let problems = problems(&arguments);
            assert_eq!(problems.first().map(|problem| problem.detail.as_str()), expected, "{arguments:?}");
        }
    }

    #[test]
    fn a_misspelt_algorithm_is_recognised() {
        let problem = algorithm_problem("ecdsa-p265").unwrap();
        assert_eq!(problem.help.as_deref(), Some("Did you mean `ecdsa-p256`?"));
    }

    #[test]
    fn a_subject_keeps_the_order_of_distinguished_names() {
        let given = subject_of(&[("common_name", "Intermediate CA"), ("organization", "Istio"), ("locality", "cluster1")]);
        let parts: Vec<_> = subject(&given).into_iter().map(|(part, text)| (part, text.clone())).collect();
        let expected = [(Part::Locality, "cluster1"), (Part::Organization, "Istio"), (Part::CommonName, "Intermediate CA")]
            .map(|(part, text)| (part, text.to_owned()));
        assert_eq!(parts, expected);
    }

    #[test]
    fn the_defaults_are_valid_and_as_documented() {
        let attributes = attributes("Root CA", 3650, "");
        let defaults = Value::object(attributes.iter().map(|attribute| (attribute.name, attribute.default.clone().unwrap())));
        assert_eq!(problems(&defaults), []);
        assert_eq!(subject(&defaults).last(), Some(&(Part::CommonName, "Root CA".to_owned())));
    }
}
