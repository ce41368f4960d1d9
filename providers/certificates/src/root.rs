//! `ca_root`: the root of trust of a mesh, made here or brought along, with its key or without.

use crate::issue::{Key, Wanted, root};
use crate::parameters::{self, Algorithm};
use crate::read::{Certificate, moment};
use engine::port::{Done, Failure};
use engine::schema::{Attribute, Comparison, Drift, Kind, Planned, Problem, Schema, compare};
use engine::value::{Type, Value};

/// What a kind computes, by name.
pub(crate) type Computed = Vec<(&'static str, Value)>;

/// The kind.
pub(crate) struct RootKind {
    schema: Schema,
}

impl Default for RootKind {
    fn default() -> Self {
        let [subject, algorithm, validity] =
            parameters::attributes("Root CA", 3650, "Validity from its making on, in days; no longer counts once it is made.");
        let attributes = vec![
            subject,
            algorithm,
            validity,
            Attribute::optional("certificate_pem", Type::String, "An existing root certificate, as PEM text, instead of a new one."),
            Attribute::optional(
                "private_key_pem",
                Type::String,
                "The key of `certificate_pem`. Without it the root is offline and signs nothing here.",
            )
            .sensitive(),
            Attribute::computed("certificate", Type::String, "The certificate, as PEM."),
            Attribute::computed("private_key", Type::String, "The private key, as PEM; null if the root is offline.").sensitive(),
            Attribute::computed("fingerprint", Type::String, "SHA-256 of the certificate's DER form, in hexadecimal digits."),
            Attribute::computed("not_before", Type::String, "When the certificate starts to be valid, as RFC 3339."),
            Attribute::computed("not_after", Type::String, "When it ends, as RFC 3339."),
        ];
        let schema = Schema {
            kind: "ca_root",
            doc: "The root certificate authority of a mesh. Its key stays in the state, or away from here.",
            version: 1,
            attributes,
            classes: &["issuer"],
            place: None,
            outside: false,
            settles: false,
        };
        Self { schema }
    }
}

impl Kind for RootKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let Some(text) = arguments.present("certificate_pem") else {
            let mut problems = parameters::problems(arguments);
            if arguments.present("private_key_pem").is_some() {
                let detail = "`private_key_pem` belongs to a certificate, and `certificate_pem` is missing";
                problems.push(Problem::with("private_key_pem", "key without certificate", detail));
            }
            return problems;
        };
        match text.as_str().map(brought) {
            None => Vec::new(),
            Some(Err(problem)) => vec![problem],
            Some(Ok(certificate)) => key_problem(arguments, &certificate).into_iter().chain(strange(&certificate)).collect(),
        }
    }

    fn irreplaceable(&self) -> Option<Problem> {
        Some(another_root("its replacement was asked for"))
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        let arguments = asked.desired;
        let given = arguments.text("certificate_pem").and_then(|text| Certificate::read_one(text).ok());
        let Some(prior) = asked.prior.map(|prior| &prior.attributes) else {
            let computed = match &given {
                Some(certificate) => computed(certificate, key_given(arguments)),
                None => unknown(&self.schema),
            };
            return Planned::Create(complete(arguments, computed));
        };
        let desired = without_key(arguments);
        let mut changed = match compare(&self.schema, Comparison { desired: &desired, observed: None, ..asked }) {
            Planned::Update { changed, .. } => changed,
            _ => Vec::new(),
        };
        let Some(certificate) = given.filter(|given| prior.text("certificate") == Some(&given.pem)) else {
            if changed.is_empty() {
                return Planned::Keep(complete(arguments, kept(&self.schema, prior)));
            }
            return Planned::Refused(refused(&changed));
        };
        changed.retain(|name| name == "certificate_pem");
        let key = key_given(arguments);
        if key.as_str() != prior.text("private_key") {
            changed.push("private_key_pem".to_owned());
        }
        let attributes = complete(arguments, computed(&certificate, key));
        if changed.is_empty() { Planned::Keep(attributes) } else { Planned::Update { attributes, changed, drifted: Drift::default() } }
    }

    fn remembered(&self, attributes: &Value, _: &[u8]) -> Value {
        without_key(attributes)
    }
}

/// Makes a root, or takes the one that is brought along.
pub(crate) fn make(arguments: &Value, now: u64) -> Result<Done, Failure> {
    let failure = |detail: String| Failure::new("root not made", detail);
    if let Some(text) = arguments.text("certificate_pem") {
        let certificate = brought(text).map_err(|problem| failure(problem.detail))?;
        if let Some(problem) = key_problem(arguments, &certificate) {
            return Err(failure(problem.detail));
        }
        return Ok(Done::new(complete(arguments, computed(&certificate, key_given(arguments)))));
    }
    let algorithm = arguments.text("algorithm").and_then(Algorithm::named).unwrap_or(Algorithm::EcdsaP256);
    let days = arguments.get("validity_days").and_then(Value::as_u64).unwrap_or(3650);
    let wanted = Wanted { subject: parameters::subject(arguments), days, dns_names: Vec::new(), now };
    let key = Key::generate(algorithm).map_err(failure)?;
    let certificate = root(&wanted, &key).and_then(|pem| Certificate::read_one(&pem)).map_err(failure)?;
    Ok(Done::new(complete(arguments, computed(&certificate, Value::string(key.pem()).sensitive()))))
}

/// Takes over what may change of a root: whether its key is here, and that its text is brought along.
pub(crate) fn update(arguments: &Value, prior: &Value, now: u64) -> Result<Done, Failure> {
    if arguments.present("certificate_pem").is_none() {
        return Ok(Done::new(complete(arguments, kept(&RootKind::default().schema, prior))));
    }
    let done = make(arguments, now)?;
    if done.attributes.text("certificate") == prior.text("certificate") {
        Ok(done)
    } else {
        let problem = refused(&["certificate_pem".to_owned()]);
        Err(Failure::new(problem.summary, problem.detail))
    }
}

fn brought(text: &str) -> Result<Certificate, Problem> {
    let unusable = |why: String| Problem::with("certificate_pem", "unusable certificate", format!("`certificate_pem`: {why}"));
    let certificate = Certificate::read_one(text).map_err(unusable)?;
    match certificate.unfit() {
        Some(why) => Err(unusable(why)),
        None => Ok(certificate),
    }
}

/// What is wrong with `private_key_pem` as the key of this certificate.
pub(crate) fn key_problem(arguments: &Value, certificate: &Certificate) -> Option<Problem> {
    let wrong = |why: String| Problem::with("private_key_pem", "unusable key", format!("`private_key_pem`: {why}"));
    match Key::read(arguments.text("private_key_pem")?) {
        Err(why) => Some(wrong(why)),
        Ok(key) if key.public() != certificate.public_key => Some(wrong("it is the key of another certificate".to_owned())),
        Ok(_) => None,
    }
}

fn strange(certificate: &Certificate) -> Option<Problem> {
    if certificate.is_issued_by(certificate) {
        return None;
    }
    let detail = "`certificate_pem` is not self-signed: what verifies chains up to a self-signed root does not accept it";
    Some(Problem::with("certificate_pem", "root not self-signed", detail).warning())
}

fn refused(changed: &[String]) -> Problem {
    let names: Vec<_> = changed.iter().map(|name| format!("`{name}`")).collect();
    let problem = another_root(&format!("{} changed", names.join(", ")));
    Problem { attribute: changed.first().cloned(), ..problem }
}

fn another_root(because: &str) -> Problem {
    let detail = format!("{because}, and that would be another root: every workload of the mesh would stop trusting every other at once");
    Problem::new("a root cannot be replaced by a change", detail).help(
        "Undo the change, or rotate in steps, each applied everywhere before the next: (1) add a second `ca_root` and give its `certificate` to \
         every `istio_cacerts` in `additional_root_certificates`; istiod needs `ISTIO_MULTIROOT_MESH=true` and proxies \
         `PROXY_CONFIG_XDS_AGENT=true`; (2) when all proxies hold both roots, set `issuer` of every `ca_intermediate` to the new root and name \
         the old one in `additional_root_certificates`; (3) when no workload certificate of the old root is left (24 hours, or after restarts), \
         remove the old root.",
    )
}

fn computed(certificate: &Certificate, key: Value) -> Computed {
    let mut computed = described(certificate);
    computed.push(("certificate", Value::string(certificate.pem.as_str())));
    computed.push(("private_key", key));
    computed
}

/// Fingerprint and validity of a certificate.
pub(crate) fn described(certificate: &Certificate) -> Computed {
    let at = |seconds| moment(seconds).map_or_else(Value::null, Value::string);
    vec![
        ("fingerprint", Value::string(certificate.fingerprint())),
        ("not_before", at(certificate.not_before)),
        ("not_after", at(certificate.not_after)),
    ]
}

/// The key that is brought along as it is kept, or null.
pub(crate) fn key_given(arguments: &Value) -> Value {
    match arguments.present("private_key_pem") {
        None => Value::null().sensitive(),
        Some(given) => match given.as_str().map(Key::read) {
            Some(Ok(key)) => Value::string(key.pem()).sensitive(),
            _ => Value::unknown(Type::String).sensitive(),
        },
    }
}

/// All computed attributes, unknown.
pub(crate) fn unknown(schema: &Schema) -> Computed {
    of(schema).map(|attribute| (attribute.name, Value::unknown(attribute.ty.clone()).sensitive_if(attribute.sensitive))).collect()
}

/// All computed attributes as they were.
pub(crate) fn kept(schema: &Schema, prior: &Value) -> Computed {
    let was = |name| prior.get(name).cloned().unwrap_or_else(Value::null);
    of(schema).map(|attribute| (attribute.name, was(attribute.name).sensitive_if(attribute.sensitive))).collect()
}

fn of(schema: &Schema) -> impl Iterator<Item = &Attribute> {
    schema.attributes.iter().filter(|attribute| attribute.presence == engine::schema::Presence::Computed)
}

/// Arguments and computed attributes together; of two with one name the later counts.
pub(crate) fn complete(arguments: &Value, computed: Computed) -> Value {
    arguments.with_entries(computed)
}

/// The same without `private_key_pem`: a key is kept once, as `private_key`.
pub(crate) fn without_key(attributes: &Value) -> Value {
    complete(attributes, vec![("private_key_pem", Value::null())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::state::{Record, RecordId};

    const NOW: u64 = 1_700_000_000;

    fn arguments(changes: &[(&'static str, Value)]) -> Value {
        complete(&RootKind::default().schema.defaults(), changes.to_vec())
    }

    fn record(arguments: &Value) -> Record {
        let done = make(arguments, NOW).unwrap();
        let attributes = RootKind::default().remembered(&done.attributes, &[]);
        Record { attributes, ..Record::new(RecordId::new("r-1"), "ca_root") }
    }

    fn planned(desired: &Value, prior: Option<&Record>) -> Planned {
        RootKind::default().planned(Comparison { desired, prior, observed: None, preview: None, previewable: false, secret_key: &[] })
    }

    fn text(value: &Value, name: &str) -> Value {
        Value::string(value.text(name).unwrap())
    }

    /// The arguments that bring along what was made.
    fn bringing(made: &Record, key: Value) -> Value {
        arguments(&[("certificate_pem", text(&made.attributes, "certificate")), ("private_key_pem", key)])
    }

    #[test]
    fn a_new_root_is_unknown_until_it_is_made_and_then_never_changes() {
        let Planned::Create(attributes) = planned(&arguments(&[]), None) else { panic!("no create") };
        assert!(
            ["certificate", "private_key", "fingerprint", "not_before", "not_after"]
                .iter()
                .all(|name| !attributes.get(name).unwrap().is_known())
        );
        assert!(attributes.get("private_key").unwrap().is_marked_sensitive());
        let record = record(&arguments(&[]));
        let Planned::Keep(kept) = planned(&arguments(&[]), Some(&record)) else { panic!("no keep") };
        assert_eq!(kept, record.attributes);
        assert_eq!(kept.text("not_after"), Some("2033-11-11T22:13:20Z"));
        assert_eq!(kept.text("fingerprint").map(str::len), Some(64));
    }

    #[test]
    fn what_turns_out_to_be_no_root_is_not_taken() {
        let (one, other) = (record(&arguments(&[])), record(&arguments(&[])));
        for (given, why) in [
            (arguments(&[("certificate_pem", Value::string("none"))]), "`certificate_pem`"),
            (bringing(&one, text(&other.attributes, "private_key")), "private_key_pem"),
        ] {
            let failure = make(&given, NOW).unwrap_err();
            assert_eq!(failure.summary, "root not made");
            assert!(failure.detail.contains(why), "{failure:?}");
        }
    }

    #[test]
    fn a_change_is_refused_with_the_procedure() {
        let record = record(&arguments(&[]));
        let other = arguments(&[("algorithm", Value::string("rsa-2048"))]);
        let brought = bringing(&self::record(&arguments(&[])), Value::null());
        let rows = [
            (arguments(&[("validity_days", Value::number(10))]), "validity_days"),
            (other, "algorithm"),
            (brought, "certificate_pem"),
            (arguments(&[("certificate_pem", Value::unknown(Type::String))]), "certificate_pem"),
        ];
        for (desired, attribute) in rows {
            let Planned::Refused(problem) = planned(&desired, Some(&record)) else { panic!("not refused: {attribute}") };
            assert_eq!(problem.attribute.as_deref(), Some(attribute));
            assert!(problem.help.is_some_and(|help| help.contains("additional_root_certificates")));
        }
    }

    #[test]
    fn what_is_brought_along_is_known_at_plan_and_its_key_is_kept_once() {
        let made = record(&arguments(&[]));
        let desired = bringing(&made, text(&made.attributes, "private_key").sensitive());
        let Planned::Create(attributes) = planned(&desired, None) else { panic!("no create") };
        for name in ["certificate", "private_key", "fingerprint", "not_before", "not_after"] {
            assert_eq!(attributes.get(name), made.attributes.get(name), "{name}");
        }
        let brought = record(&desired);
        assert!(brought.attributes.get("private_key_pem").is_some_and(Value::is_null));
        assert!(matches!(planned(&desired, Some(&brought)), Planned::Keep(_)));
    }

    #[test]
    fn a_key_may_leave_and_come_back_and_what_was_made_may_be_brought_along() {
        let made = record(&arguments(&[]));
        let offline = bringing(&made, Value::null());
        let online = bringing(&made, text(&made.attributes, "private_key").sensitive());
        let rows = [
            (&made, &online, Some(vec!["certificate_pem"])),
            (&made, &offline, Some(vec!["certificate_pem", "private_key_pem"])),
            (&record(&offline), &online, Some(vec!["private_key_pem"])),
            (&record(&online), &offline, Some(vec!["private_key_pem"])),
            (&record(&offline), &offline, None),
        ];
        for (prior, desired, expected) in rows {
            let (attributes, changed) = match planned(desired, Some(prior)) {
                Planned::Update { attributes, changed, .. } => (attributes, Some(changed)),
                Planned::Keep(attributes) => (attributes, None),
                other => panic!("{expected:?}: {other:?}"),
            };
            assert_eq!(changed, expected.map(|names| names.into_iter().map(str::to_owned).collect()));
            assert_eq!(update(desired, &prior.attributes, NOW + 9).unwrap().attributes, attributes);
        }
    }

    #[test]
    fn what_cannot_be_a_root_is_refused() {
        let (made, other) = (record(&arguments(&[])), record(&arguments(&[])));
        let key = |record: &Record| text(&record.attributes, "private_key").sensitive();
        let rows = [
            (arguments(&[]), vec![]),
            (bringing(&made, key(&made)), vec![]),
            (bringing(&made, Value::null()), vec![]),
            (bringing(&made, key(&other)), vec!["`private_key_pem`: it is the key of another certificate"]),
            (bringing(&made, Value::string("x")), vec!["`private_key_pem`: the text holds no `PRIVATE KEY` block"]),
            (
                arguments(&[("private_key_pem", key(&made))]),
                vec!["`private_key_pem` belongs to a certificate, and `certificate_pem` is missing"],
            ),
            (arguments(&[("certificate_pem", Value::string("x"))]), vec!["`certificate_pem`: the text holds no `BEGIN CERTIFICATE` block"]),
            (arguments(&[("certificate_pem", Value::unknown(Type::String))]), vec![]),
        ];
        for (arguments, expected) in rows {
            let details: Vec<_> = RootKind::default().validate(&arguments).into_iter().map(|problem| problem.detail).collect();
            assert_eq!(details, expected);
        }
    }
}
