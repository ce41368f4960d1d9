//! `ca_root`: the root of trust of a mesh, made here or brought along, with its key or without.

use crate::generations::{self, Generations};
use crate::issue::{Key, Wanted, root};
use crate::parameters::{self, Algorithm, Part};
use crate::read::{Certificate, moment};
use engine::port::{Done, Failure};
use engine::schema::{Attribute, Comparison, Drift, Kind, Planned, Problem, Schema, compare};
use engine::value::{Type, Value};

/// What a kind computes, by name.
pub(crate) type Computed = Vec<(&'static str, Value)>;

const GENERATIONS: &str = "Names of roots that are trusted side by side, the oldest first, such as `[\"2024\", \"2026\"]`. A root is rotated in three steps, \
    each an apply everywhere: one more generation, then another that signs, then one less.";
const ADDITIONAL: &str =
    "The certificates of the generations that do not sign, as PEM: trusted beside `certificate`. Null without generations.";
/// What a root is made with, and counts no longer once it is.
const MADE_WITH: [&str; 3] = ["subject", "algorithm", "validity_days"];
const STEP: [&str; 2] = ["generations", "signing"];

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
            Attribute::optional("generations", Type::list(Type::String), GENERATIONS),
            Attribute::optional("signing", Type::String, "Which of `generations` signs: the root that the other attributes are about."),
            Attribute::computed("certificate", Type::String, "The certificate, as PEM."),
            Attribute::computed("private_key", Type::String, "The private key, as PEM; null if the root is offline.").sensitive(),
            Attribute::computed("fingerprint", Type::String, "SHA-256 of the certificate's DER form, in hexadecimal digits."),
            Attribute::computed("not_before", Type::String, "When the certificate starts to be valid, as RFC 3339."),
            Attribute::computed("not_after", Type::String, "When it ends, as RFC 3339."),
            Attribute::computed("additional_certificates", Type::list(Type::String), ADDITIONAL),
            Attribute::computed(
                "authorities",
                authorities_type(),
                "The generations that do not sign, by name: certificate and key, as PEM.",
            )
            .sensitive(),
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
            problems.extend(generations::problems(arguments));
            if arguments.present("private_key_pem").is_some() {
                let detail = "`private_key_pem` belongs to a certificate, and `certificate_pem` is missing";
                problems.push(Problem::with("private_key_pem", "key without certificate", detail));
            }
            return problems;
        };
        match text.as_str().map(brought) {
            None => Vec::new(),
            Some(Err(problem)) => vec![problem],
            Some(Ok(certificate)) => {
                let problems = key_problem(arguments, &certificate).into_iter().chain(strange(&certificate));
                problems.chain(generations::problems(arguments)).collect()
            }
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
                Some(certificate) => alone(certificate, key_given(arguments)),
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
            if Generations::of(prior).is_some() || arguments.present("generations").is_some() {
                return self.next_step(arguments, prior, changed);
            }
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
        let attributes = complete(arguments, alone(&certificate, key));
        if changed.is_empty() { Planned::Keep(attributes) } else { Planned::Update { attributes, changed, drifted: Drift::default() } }
    }

    fn remembered(&self, attributes: &Value, _: &[u8]) -> Value {
        without_key(attributes)
    }
}

impl RootKind {
    /// What becomes of a root in generations, or of one that shall have some.
    fn next_step(&self, arguments: &Value, prior: &Value, mut changed: Vec<String>) -> Planned {
        if let Some(problem) = generations::unknown(arguments) {
            return Planned::Refused(problem);
        }
        let former = Generations::of(prior);
        let next = Generations::of(arguments);
        let skipped = match &next {
            Some(next) => next.refused_after(former.as_ref()),
            None => former.as_ref().and_then(generations::ended),
        };
        if let Some(problem) = skipped {
            return Planned::Refused(problem);
        }
        let there = next.as_ref().map(|next| standing(prior, next)).unwrap_or_default();
        let is_new = |name: &String| !there.iter().any(|authority| authority.name == *name);
        let brings_new = next.as_ref().is_some_and(|next| next.names.iter().any(is_new));
        let may_change = |name: &str| STEP.contains(&name) || (brings_new && MADE_WITH.contains(&name));
        if let Some(other) = changed.iter().find(|name| !may_change(name)) {
            return Planned::Refused(refused(std::slice::from_ref(other)));
        }
        changed.sort_by_key(|name| !STEP.contains(&name.as_str()));
        let computed = match &next {
            Some(next) => of_generations(&there, next),
            None => without_generations(kept(&self.schema, prior)),
        };
        let attributes = complete(arguments, computed);
        if changed.is_empty() { Planned::Keep(attributes) } else { Planned::Update { attributes, changed, drifted: Drift::default() } }
    }
}

/// One generation of a root.
#[derive(Clone)]
struct Authority {
    name: String,
    certificate: String,
    key: String,
}

fn authorities_type() -> Type {
    Type::map(Type::object([("certificate", Type::String, false), ("private_key", Type::String, false)]))
}

/// The generations that are made already. A root that has had no name is the oldest of those that there shall be.
fn standing(prior: &Value, next: &Generations) -> Vec<Authority> {
    let signing = match Generations::of(prior) {
        Some(former) => Some(former.signing),
        None => next.names.first().cloned(),
    };
    let signing = signing.and_then(|name| {
        Some(Authority { name, certificate: prior.text("certificate")?.to_owned(), key: prior.text("private_key")?.to_owned() })
    });
    let entries = prior.present("authorities").map(Value::entries).unwrap_or_default();
    let of = |entry: &engine::value::Entry| {
        let text = |name| entry.value.text(name).map(str::to_owned);
        Some(Authority { name: entry.key.to_string(), certificate: text("certificate")?, key: text("private_key")? })
    };
    signing.into_iter().chain(entries.iter().filter_map(of)).collect()
}

/// The computed attributes of a root in generations: all once every one is made, until then those of the one that signs.
fn of_generations(there: &[Authority], next: &Generations) -> Computed {
    let mut computed = unknown(&RootKind::default().schema);
    let made = |name: &String| there.iter().find(|authority| authority.name == *name);
    if let Some(signing) = made(&next.signing)
        && let Ok(certificate) = Certificate::read_one(&signing.certificate)
    {
        computed.extend(self::computed(&certificate, Value::string(signing.key.as_str()).sensitive()));
    }
    let all: Option<Vec<&Authority>> = next.names.iter().map(made).collect();
    if let Some(all) = all {
        let others = || all.iter().filter(|authority| authority.name != next.signing);
        let certificates = others().map(|authority| Value::string(authority.certificate.as_str())).collect();
        computed.push(("additional_certificates", Value::tuple(certificates)));
        let each = others().map(|authority| {
            let texts = [("certificate", authority.certificate.as_str()), ("private_key", authority.key.as_str())];
            (authority.name.as_str(), Value::object(texts.map(|(name, text)| (name, Value::string(text)))))
        });
        computed.push(("authorities", Value::object(each).sensitive()));
    }
    computed
}

fn without_generations(mut computed: Computed) -> Computed {
    computed.extend([("additional_certificates", Value::null()), ("authorities", Value::null().sensitive())]);
    computed
}

/// The computed attributes of the one root that there is.
fn alone(certificate: &Certificate, key: Value) -> Computed {
    without_generations(computed(certificate, key))
}

/// Makes the generations that are not there yet.
fn make_generations(arguments: &Value, mut there: Vec<Authority>, next: &Generations, now: u64) -> Result<Done, String> {
    for name in &next.names {
        if there.iter().all(|authority| authority.name != *name) {
            let (certificate, key) = made(arguments, Some(name), now)?;
            there.push(Authority { name: name.clone(), certificate: certificate.pem, key: key.pem() });
        }
    }
    Ok(Done::new(complete(arguments, of_generations(&there, next))))
}

/// A new root. Generations have the name at the end of their common name, so that certificates say which of them they lead to.
fn made(arguments: &Value, generation: Option<&str>, now: u64) -> Result<(Certificate, Key), String> {
    let algorithm = arguments.text("algorithm").and_then(Algorithm::named).unwrap_or(Algorithm::EcdsaP256);
    let days = arguments.get("validity_days").and_then(Value::as_u64).unwrap_or(3650);
    let mut subject = parameters::subject(arguments);
    for (part, text) in &mut subject {
        if let (Part::CommonName, Some(generation)) = (*part, generation) {
            let named = format!("{text} {generation}");
            if named.chars().count() <= 64 {
                *text = named;
            }
        }
    }
    let wanted = Wanted { subject, days, dns_names: Vec::new(), now };
    let key = Key::generate(algorithm)?;
    let certificate = root(&wanted, &key).and_then(|pem| Certificate::read_one(&pem))?;
    Ok((certificate, key))
}

/// Makes a root, or takes the one that is brought along.
pub(crate) fn make(arguments: &Value, now: u64) -> Result<Done, Failure> {
    let failure = |detail: String| Failure::new("root not made", detail);
    if let Some(text) = arguments.text("certificate_pem") {
        let certificate = brought(text).map_err(|problem| failure(problem.detail))?;
        if let Some(problem) = key_problem(arguments, &certificate) {
            return Err(failure(problem.detail));
        }
        return Ok(Done::new(complete(arguments, alone(&certificate, key_given(arguments)))));
    }
    if let Some(generations) = Generations::of(arguments) {
        return make_generations(arguments, Vec::new(), &generations, now).map_err(failure);
    }
    let (certificate, key) = made(arguments, None, now).map_err(failure)?;
    Ok(Done::new(complete(arguments, alone(&certificate, Value::string(key.pem()).sensitive()))))
}

/// Takes over what may change of a root: whether its key is here, that its text is brought along, and its generations.
pub(crate) fn update(arguments: &Value, prior: &Value, now: u64) -> Result<Done, Failure> {
    if arguments.present("certificate_pem").is_none() {
        let Some(generations) = Generations::of(arguments) else {
            return Ok(Done::new(complete(arguments, without_generations(kept(&RootKind::default().schema, prior)))));
        };
        let made = make_generations(arguments, standing(prior, &generations), &generations, now);
        return made.map_err(|why| Failure::new("root not made", why));
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
        "Undo the change. A root that was made here is rotated by its `generations` and `signing`. For one that was brought along do the same in steps, \
         each applied everywhere before the next: (1) add a second `ca_root` and give its `certificate` to \
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
    fn a_root_is_rotated_in_three_steps() {
        let step = |names: &[&str], signing: &str| {
            let names = Value::tuple(names.iter().map(|name| Value::string(*name)).collect());
            arguments(&[("generations", names), ("signing", Value::string(signing))])
        };
        let applied = |desired: &Value, prior: &Record| {
            let Planned::Update { attributes, changed, .. } = planned(desired, Some(prior)) else { panic!("no update: {desired:?}") };
            let done = update(desired, &prior.attributes, NOW).unwrap().attributes;
            for name in ["certificate", "private_key", "fingerprint"] {
                assert_eq!(attributes.get(name), done.get(name), "known at plan: {name}");
            }
            let record = Record { attributes: done, ..prior.clone() };
            assert!(matches!(planned(desired, Some(&record)), Planned::Keep(_)), "and then nothing is left to do");
            (record, changed.join(" "))
        };
        let additional = |record: &Record| record.attributes.get("additional_certificates").map(|list| list.items().len());
        let nameless = record(&arguments(&[]));
        let certificate = |record: &Record| record.attributes.text("certificate").unwrap().to_owned();
        let (named, _) = applied(&step(&["2024"], "2024"), &nameless);
        assert_eq!((certificate(&named), additional(&named)), (certificate(&nameless), Some(0)));
        let (both, changed) = applied(&step(&["2024", "2026"], "2024"), &named);
        assert_eq!((certificate(&both), additional(&both), changed.as_str()), (certificate(&nameless), Some(1), "generations"));
        let (moved, changed) = applied(&step(&["2024", "2026"], "2026"), &both);
        assert_eq!((additional(&moved), changed.as_str()), (Some(1), "signing"));
        assert_ne!(certificate(&moved), certificate(&nameless));
        assert_eq!(both.attributes.get("additional_certificates").unwrap().items()[0].as_str(), Some(certificate(&moved).as_str()));
        let (left, _) = applied(&step(&["2026"], "2026"), &moved);
        assert_eq!((certificate(&left), additional(&left)), (certificate(&moved), Some(0)));
        assert!(
            !left
                .attributes
                .to_json()
                .unwrap()
                .to_string()
                .contains(nameless.attributes.text("private_key").unwrap().lines().nth(1).unwrap())
        );
        let Planned::Refused(problem) = planned(&step(&["2026"], "2026"), Some(&named)) else { panic!("not refused") };
        assert!(problem.help.unwrap().contains("generations = [\"2024\", \"2026\"], signing = \"2024\""));
        let Planned::Refused(problem) = planned(&arguments(&[]), Some(&both)) else { panic!("not refused") };
        assert_eq!(problem.summary, "skipped step of a rotation");
        let (unnamed, _) = applied(&arguments(&[]), &left);
        assert_eq!((certificate(&unnamed), additional(&unnamed)), (certificate(&left), Some(0)));
        let with = |entries: &[(&'static str, Value)]| complete(&step(&["2024", "2026"], "2024"), entries.to_vec());
        let Planned::Refused(problem) = planned(&with(&[("algorithm", Value::string("rsa-2048"))]), Some(&both)) else {
            panic!("not refused")
        };
        assert_eq!(problem.attribute.as_deref(), Some("algorithm"));
        assert!(
            matches!(planned(&with(&[("algorithm", Value::string("rsa-2048"))]), Some(&named)), Planned::Update { .. }),
            "of the new one"
        );
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
