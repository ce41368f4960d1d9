//! `ca_intermediate`: the authority that one cluster's istiod signs with.
//!
//! The issuer's key is read through the reference and never kept. If the issuer has none here, the intermediate is made as far as its
//! signing request, and finished once its certificate is given as `signed_certificate`.

use crate::issue::{Key, Wanted, intermediate, request};
use crate::parameters::{self, Algorithm};
use crate::read::Certificate;
use crate::root::{Computed, complete, described, kept, key_given, key_problem, unknown, without_key};
use engine::port::{Done, Failure};
use engine::schema::{Attribute, Comparison, Drift, Kind, Planned, Problem, Schema, compare};
use engine::value::{Data, Sequence, SequenceKind, Type, Value};
use std::sync::Arc;

/// What a certificate is made from; a change of one of them makes another.
const MADE_FROM: [&str; 5] = ["subject", "algorithm", "validity_days", "dns_names", "generation"];
/// What a key is made from.
const KEY_FROM: [&str; 2] = ["algorithm", "generation"];
const UNSIGNED: &str = "take its `csr`, have it signed with the root's key as an authority with path length 0, and give the result as \
     `signed_certificate`";

const GENERATION: &str =
    "Count it up to rotate it: a new key and a new certificate, under the same root. Istiod takes them up while it runs. 1 without it.";

/// The kind.
pub(crate) struct IntermediateKind {
    schema: Schema,
}

impl Default for IntermediateKind {
    fn default() -> Self {
        let [subject, algorithm, validity] =
            parameters::attributes("Intermediate CA", 730, "Validity from its issue on, in days; it never outlives its root.");
        let names = Type::list(Type::String);
        let attributes = vec![
            Attribute::required("issuer", Type::Reference("issuer"), "The root that signs it."),
            subject,
            algorithm,
            validity,
            Attribute::optional("dns_names", names, "Subject alternative names.").default(istiod()),
            Attribute::optional("generation", Type::Number, GENERATION),
            Attribute::optional(
                "signed_certificate",
                Type::String,
                "Its certificate, as PEM, where the root's key is elsewhere: the signed `csr`.",
            ),
            Attribute::optional("private_key_pem", Type::String, "An existing key, as PEM text, instead of a new one.").sensitive(),
            Attribute::computed("csr", Type::String, "The signing request, as PEM."),
            Attribute::computed("certificate", Type::String, "The certificate, as PEM; null while it is not signed."),
            Attribute::computed("private_key", Type::String, "The private key, as PEM.").sensitive(),
            Attribute::computed("chain", Type::String, "The certificate and those above it up to the root, as PEM."),
            Attribute::computed("root_certificate", Type::String, "The root's certificate, as PEM."),
            Attribute::computed(
                "additional_root_certificates",
                Type::list(Type::String),
                "Roots that are trusted beside it, as PEM: the issuer's other generations.",
            ),
            Attribute::computed("fingerprint", Type::String, "SHA-256 of the certificate's DER form, in hexadecimal digits."),
            Attribute::computed("not_before", Type::String, "When the certificate starts to be valid, as RFC 3339."),
            Attribute::computed("not_after", Type::String, "When it ends, as RFC 3339."),
        ];
        let schema = Schema {
            kind: "ca_intermediate",
            doc: "An intermediate certificate authority: one per cluster. A change of its parameters issues it again with the same key.",
            version: 1,
            attributes,
            classes: &["intermediate"],
            place: None,
            outside: false,
            settles: false,
        };
        Self { schema }
    }
}

impl Kind for IntermediateKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems = parameters::problems(arguments);
        problems.extend(arguments.get("dns_names").into_iter().flat_map(Value::items).filter_map(name_problem));
        match arguments.present("signed_certificate") {
            None => problems.extend(unsigned(arguments)),
            Some(signed) => {
                let read = signed.as_str().map(|text| signed_chain(text, root(arguments).as_ref()));
                match read {
                    Some(Err(why)) => problems.push(unusable(&why)),
                    Some(Ok(chain)) => problems.extend(chain.first().and_then(|first| key_problem(arguments, first))),
                    None => {}
                }
            }
        }
        problems
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        let arguments = asked.desired;
        let signed = arguments.present("signed_certificate").is_some();
        let brings_key = arguments.present("private_key_pem").is_some();
        let Some(prior) = asked.prior.map(|prior| &prior.attributes) else {
            if signed && !brings_key {
                return Planned::Refused(no_key("its key is not made yet"));
            }
            let computed = self.expected(arguments, key_at_plan(arguments, None), None);
            return Planned::Create(complete(arguments, computed));
        };
        let changed = self.changed(asked, prior);
        let makes_key = changed.iter().find(|name| KEY_FROM.contains(&name.as_str())).filter(|_| !brings_key);
        let new_key = makes_key.is_some();
        if let Some(name) = makes_key.filter(|_| signed) {
            return Planned::Refused(no_key(&format!("`{name}` changed, which makes a new key")));
        }
        if changed.is_empty() {
            return Planned::Keep(complete(arguments, kept(&self.schema, prior)));
        }
        let key = key_at_plan(arguments, (!new_key).then_some(prior));
        if let (Some(text), Some(key)) = (arguments.text("signed_certificate"), key.as_str())
            && !fits(text, key)
        {
            return Planned::Refused(unusable("it is not for this intermediate's key: it was signed from another `csr`"));
        }
        let bookkeeping = changed.iter().all(|name| name == "issuer") && root(arguments).is_some_and(|root| is_from(prior, &root));
        let computed = if bookkeeping && prior.present("certificate").is_some() {
            let mut computed = kept(&self.schema, prior);
            computed.push((ADDITIONAL, additional(arguments)));
            computed
        } else {
            self.expected(arguments, key, Some((prior, &changed)))
        };
        Planned::Update { attributes: complete(arguments, computed), changed, drifted: Drift::default() }
    }

    fn remembered(&self, attributes: &Value, _: &[u8]) -> Value {
        without_key(attributes)
    }
}

impl IntermediateKind {
    /// The arguments that differ from what was made: an issuer counts as changed with its certificate, or with its key's arrival.
    fn changed(&self, asked: Comparison<'_>, prior: &Value) -> Vec<String> {
        let arguments = asked.desired;
        let desired = without_key(arguments);
        let mut changed = match compare(&self.schema, Comparison { desired: &desired, observed: None, ..asked }) {
            Planned::Update { changed, .. } => changed,
            _ => Vec::new(),
        };
        changed.retain(|name| name != "generation" || generation(arguments) != generation(prior));
        let other_root = !root(arguments).is_some_and(|root| is_from(prior, &root));
        let can_sign = prior.present("certificate").is_none()
            && arguments.get("issuer").and_then(|issuer| issuer.referent("private_key")).is_some_and(|key| !key.is_null());
        let other_trust = texts(&additional(arguments)) != prior.get(ADDITIONAL).map_or(Some(Vec::new()), texts);
        if (other_root || can_sign || other_trust) && !changed.iter().any(|name| name == "issuer") {
            changed.push("issuer".to_owned());
        }
        if let Some(given) = arguments.present("private_key_pem")
            && given.as_str().and_then(|text| Key::read(text).ok()).is_none_or(|key| prior.text("private_key") != Some(&key.pem()))
        {
            changed.push("private_key_pem".to_owned());
        }
        changed
    }

    /// What is known before apply: the root, the key if it stays, and all of a certificate that is given.
    fn expected(&self, arguments: &Value, key: Value, prior: Option<(&Value, &[String])>) -> Computed {
        let mut computed = unknown(&self.schema);
        let root = root(arguments);
        let given = arguments.text("signed_certificate").zip(root.as_ref());
        if let Some((text, root)) = given
            && let Ok(chain) = signed_chain(text, Some(root))
        {
            computed.extend(of_chain(&chain, root));
        }
        if let Some(root) = &root {
            computed.push(("root_certificate", Value::string(root.pem.as_str())));
        }
        if let Some((prior, changed)) = prior
            && !changed.iter().any(|name| ["subject", "algorithm", "dns_names", "private_key_pem", "generation"].contains(&name.as_str()))
            && let Some(csr) = prior.present("csr")
        {
            computed.push(("csr", csr.clone()));
        }
        computed.push((ADDITIONAL, additional(arguments)));
        computed.push(("private_key", key));
        computed
    }
}

/// Makes an intermediate, or what changed of it. `prior` is what is there.
pub(crate) fn make(arguments: &Value, prior: Option<&Value>, now: u64) -> Result<Done, Failure> {
    let failure = |detail: String| Failure::new("intermediate not issued", detail);
    let root = root(arguments).ok_or_else(|| failure("the issuer has no certificate".to_owned()))?;
    let same = |names: &[&str]| {
        let is_same = |prior: &Value, name: &str| match name {
            "generation" => generation(arguments) == generation(prior),
            _ => same(arguments.get(name), prior.get(name)),
        };
        prior.is_some_and(|prior| names.iter().all(|name| is_same(prior, name)))
    };
    let key = key(arguments, prior.filter(|_| same(&KEY_FROM))).map_err(failure)?;
    let key_kept = prior.is_some_and(|prior| prior.text("private_key") == Some(&key.pem()));
    let wanted = wanted(arguments, now);
    let csr = match prior.and_then(|prior| prior.text("csr")) {
        Some(csr) if key_kept && same(&["subject", "dns_names"]) => csr.to_owned(),
        _ => request(&wanted, &key).map_err(failure)?,
    };
    let mut notes = Vec::new();
    let standing = prior.filter(|prior| key_kept && same(&MADE_FROM) && is_from(prior, &root) && same_source(prior));
    let mut computed = if let Some(text) = arguments.text("signed_certificate") {
        if !fits(text, &key.pem()) {
            return Err(failure("`signed_certificate` is not for this intermediate's key".to_owned()));
        }
        of_chain(&signed_chain(text, Some(&root)).map_err(failure)?, &root)
    } else if let Some(chain) = standing.and_then(|prior| Certificate::read_all(prior.text("certificate")?).ok()) {
        of_chain(&chain, &root)
    } else if let Some(root_key) = arguments.get("issuer").and_then(|issuer| issuer.referent("private_key")?.as_str()) {
        let root_key = Key::read(root_key).map_err(failure)?;
        let issued = intermediate(&wanted, &key, (&root, &root_key)).and_then(|pem| Certificate::read_one(&pem)).map_err(failure)?;
        of_chain(&[issued], &root)
    } else {
        notes.push(format!("not signed yet: {UNSIGNED}"));
        ["certificate", "chain", "fingerprint", "not_before", "not_after"].map(|name| (name, Value::null())).to_vec()
    };
    computed.push(("root_certificate", Value::string(root.pem.as_str())));
    computed.push((ADDITIONAL, additional(arguments)));
    computed.push(("csr", Value::string(csr)));
    computed.push(("private_key", Value::string(key.pem()).sensitive()));
    Ok(Done { notes, ..Done::new(complete(arguments, computed)) })
}

/// The name under which proxies know istiod, as a list.
fn istiod() -> Value {
    let names = vec![Value::string("istiod.istio-system.svc")];
    Value::new(Data::Sequence(Arc::new(Sequence::new(SequenceKind::List(Type::String), names))))
}

/// Whether the standing certificate was issued here, and not given.
fn same_source(prior: &Value) -> bool {
    prior.present("signed_certificate").is_none()
}

/// Which key of it this is, the first without a number; nothing while that is not known.
fn generation(arguments: &Value) -> Option<u64> {
    arguments.present("generation").map_or(Some(1), Value::as_u64)
}

fn same(desired: Option<&Value>, was: Option<&Value>) -> bool {
    let json = |value: Option<&Value>| value.and_then(|value| value.to_json().ok()).unwrap_or_default();
    desired.is_none_or(Value::is_known) && json(desired) == json(was)
}

fn wanted(arguments: &Value, now: u64) -> Wanted {
    let names = arguments.get("dns_names").map(Value::items).unwrap_or_default();
    Wanted {
        subject: parameters::subject(arguments),
        days: arguments.get("validity_days").and_then(Value::as_u64).unwrap_or(730),
        dns_names: names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        now,
    }
}

/// The key: the one brought along, the one that is there, or a new one.
fn key(arguments: &Value, prior: Option<&Value>) -> Result<Key, String> {
    if let Some(given) = arguments.text("private_key_pem") {
        return Key::read(given);
    }
    if let Some(there) = prior.and_then(|prior| prior.text("private_key")) {
        return Key::read(there);
    }
    Key::generate(arguments.text("algorithm").and_then(Algorithm::named).unwrap_or(Algorithm::EcdsaP256))
}

fn key_at_plan(arguments: &Value, prior: Option<&Value>) -> Value {
    if arguments.present("private_key_pem").is_some() {
        return key_given(arguments);
    }
    let there = prior.and_then(|prior| prior.text("private_key"));
    there.map_or_else(|| Value::unknown(Type::String), Value::string).sensitive()
}

/// The issuer's certificate, if it is known.
fn root(arguments: &Value) -> Option<Certificate> {
    Certificate::read_one(arguments.get("issuer")?.referent("certificate")?.as_str()?).ok()
}

const ADDITIONAL: &str = "additional_root_certificates";

/// The roots that the issuer wants to be trusted beside it.
fn additional(arguments: &Value) -> Value {
    if root(arguments).is_none() {
        return Value::unknown(Type::list(Type::String));
    }
    let told = arguments.get("issuer").and_then(|issuer| issuer.referent("additional_certificates"));
    told.filter(|told| !told.is_null()).cloned().unwrap_or_else(|| Value::tuple(Vec::new()))
}

/// The texts of a list; nothing while they are not known.
fn texts(list: &Value) -> Option<Vec<&str>> {
    if !list.is_known() {
        return None;
    }
    Some(list.items().iter().filter_map(Value::as_str).collect())
}

fn is_from(prior: &Value, root: &Certificate) -> bool {
    prior.text("root_certificate") == Some(&root.pem)
}

/// Whether the first certificate of a text is for this key.
fn fits(text: &str, key: &str) -> bool {
    let certificate = Certificate::read_all(text).ok().and_then(|all| all.into_iter().next());
    certificate.zip(Key::read(key).ok()).is_some_and(|(certificate, key)| certificate.public_key == key.public())
}

/// The certificates of a text: the intermediate's own first, each issued by the next, the last by the root. The root itself may follow.
fn signed_chain(text: &str, root: Option<&Certificate>) -> Result<Vec<Certificate>, String> {
    let mut chain = Certificate::read_all(text)?;
    if let Some(root) = root {
        chain.retain(|certificate| certificate != root);
        let above = chain.iter().skip(1).chain([root]);
        if chain.is_empty() || !chain.iter().zip(above).all(|(certificate, issuer)| certificate.is_issued_by(issuer)) {
            return Err("it does not lead to the issuer's certificate".to_owned());
        }
    }
    match chain.iter().find_map(Certificate::unfit) {
        Some(why) => Err(why),
        None => Ok(chain),
    }
}

fn of_chain(chain: &[Certificate], root: &Certificate) -> Computed {
    let Some(first) = chain.first() else { return Vec::new() };
    let all: String = chain.iter().chain([root]).map(|certificate| certificate.pem.as_str()).collect();
    let mut computed = described(first);
    computed.push(("certificate", Value::string(first.pem.as_str())));
    computed.push(("chain", Value::string(all)));
    computed
}

fn name_problem(name: &Value) -> Option<Problem> {
    let name = name.as_str()?;
    let fits = !name.is_empty() && name.len() <= 253 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.*_".contains(&byte));
    (!fits).then(|| Problem::with("dns_names", "wrong name", format!("`{name}` is no DNS name")))
}

fn unusable(why: &str) -> Problem {
    Problem::with("signed_certificate", "unusable certificate", format!("`signed_certificate`: {why}"))
}

fn no_key(why: &str) -> Problem {
    let detail = format!("`signed_certificate` cannot be for this intermediate: {why}");
    Problem::with("signed_certificate", "certificate before its key", detail)
        .help(format!("Remove `signed_certificate` and apply; then {UNSIGNED}. Or give the key it is for as `private_key_pem`."))
}

/// What is to do where nobody here can sign.
fn unsigned(arguments: &Value) -> Option<Problem> {
    let issuer = arguments.get("issuer")?;
    let offline = issuer.referent("private_key").is_some_and(Value::is_null);
    let address = &issuer.instance().filter(|_| offline)?.address;
    let detail = format!("the key of `{address}` is not here, so nothing can be signed; until it is, no certificate can be used");
    Some(Problem::with("issuer", "intermediate not signed", detail).help(format!("After apply, {UNSIGNED}.")).warning())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root::{self, RootKind};
    use engine::address::Address;

    use engine::state::{Record, RecordId};

    const NOW: u64 = 1_700_000_000;

    fn new_root() -> Value {
        root::make(&RootKind::default().schema().defaults(), NOW).unwrap().attributes
    }

    fn issuer(name: &str, attributes: Value) -> Value {
        Value::reference(Address::managed("ca_root", name), &["issuer"], attributes)
    }

    fn offline(root: &Value) -> Value {
        issuer("mesh", complete(root, vec![("private_key", Value::null().sensitive())]))
    }

    fn with(issuer: &Value, changes: &[(&'static str, Value)]) -> Value {
        let arguments = complete(&IntermediateKind::default().schema().defaults(), vec![("issuer", issuer.clone())]);
        complete(&arguments, changes.to_vec())
    }

    /// The record that an effect leaves: references as addresses, the key once.
    fn record(arguments: &Value, prior: Option<&Record>) -> Record {
        let done = make(arguments, prior.map(|prior| &prior.attributes), NOW).unwrap();
        let attributes = IntermediateKind::default().remembered(&done.attributes, &[]);
        let address = arguments.get("issuer").and_then(Value::instance).unwrap().address.to_string();
        let attributes = complete(&attributes, vec![("issuer", Value::string(address))]);
        Record { attributes, ..Record::new(RecordId::new("r-1"), "ca_intermediate") }
    }

    fn planned(desired: &Value, prior: Option<&Record>) -> Planned {
        IntermediateKind::default().planned(Comparison {
            desired,
            prior,
            observed: None,
            preview: None,
            previewable: false,
            secret_key: &[],
        })
    }

    fn updated(desired: &Value, prior: &Record) -> (Value, Vec<String>) {
        match planned(desired, Some(prior)) {
            Planned::Update { attributes, changed, .. } => (attributes, changed),
            other => panic!("no update: {other:?}"),
        }
    }

    /// What a signer elsewhere makes of an intermediate's request: here it has both keys.
    fn signed_elsewhere(unsigned: &Record, root: &Value) -> Value {
        let key = Key::read(unsigned.attributes.text("private_key").unwrap()).unwrap();
        let wanted = wanted(&IntermediateKind::default().schema().defaults(), NOW);
        let certificate = Certificate::read_one(root.text("certificate").unwrap()).unwrap();
        let root_key = Key::read(root.text("private_key").unwrap()).unwrap();
        Value::string(intermediate(&wanted, &key, (&certificate, &root_key)).unwrap())
    }

    #[test]
    fn it_is_issued_once_and_kept() {
        let root = issuer("mesh", new_root());
        let Planned::Create(attributes) = planned(&with(&root, &[]), None) else { panic!("no create") };
        assert!(attributes.get("chain").is_some_and(|chain| !chain.is_known()));
        assert_eq!(attributes.get("root_certificate"), root.referent("certificate"));
        let record = record(&with(&root, &[]), None);
        let chain =
            format!("{}{}", record.attributes.text("certificate").unwrap(), root.referent("certificate").unwrap().as_str().unwrap());
        assert_eq!(record.attributes.text("chain"), Some(chain.as_str()));
        assert_eq!(record.attributes.text("not_after"), Some("2025-11-13T22:13:20Z"));
        let Planned::Keep(kept) = planned(&with(&root, &[]), Some(&record)) else { panic!("no keep") };
        assert_eq!(kept.get("certificate"), record.attributes.get("certificate"));
        assert!(kept.get("private_key").is_some_and(Value::is_marked_sensitive));
        let key = root.referent("private_key").and_then(Value::as_str).unwrap();
        assert!(!record.attributes.to_json().unwrap().to_string().contains(&key[60..120]), "the issuer's key is not kept");
    }

    #[test]
    fn what_turns_out_to_be_unusable_at_apply_is_told() {
        let root = new_root();
        let others = signed_elsewhere(&record(&with(&offline(&root), &[]), None), &root);
        for (arguments, why) in [
            (with(&issuer("mesh", complete(&root, vec![("certificate", Value::null())])), &[]), "the issuer has no certificate"),
            (with(&issuer("mesh", root.clone()), &[("signed_certificate", others)]), "not for this intermediate's key"),
        ] {
            let failure = make(&arguments, None, NOW).unwrap_err();
            assert_eq!(failure.summary, "intermediate not issued");
            assert!(failure.detail.contains(why), "{failure:?}");
        }
    }

    #[test]
    fn a_change_issues_again_with_the_same_key_unless_the_algorithm_changes() {
        let root = issuer("mesh", new_root());
        let record = record(&with(&root, &[]), None);
        let subject = Value::object([("common_name", Value::string("other"))]);
        let rows = [
            ("subject", subject, true),
            ("validity_days", Value::number(10), true),
            ("dns_names", Value::tuple(vec![Value::string("a.b")]), true),
            ("algorithm", Value::string("ecdsa-p384"), false),
        ];
        for (name, value, key_kept) in rows {
            let desired = with(&root, &[(name, value)]);
            let (planned, changed) = updated(&desired, &record);
            assert_eq!(changed, [name]);
            assert!(!planned.get("certificate").unwrap().is_known(), "{name}");
            assert_eq!(planned.get("private_key").unwrap().is_known(), key_kept, "{name}");
            let done = make(&desired, Some(&record.attributes), NOW).unwrap().attributes;
            assert_ne!(done.get("certificate"), record.attributes.get("certificate"), "{name}");
            assert_eq!(done.text("private_key") == record.attributes.text("private_key"), key_kept, "{name}");
            let csr_kept = name == "validity_days";
            assert_eq!(done.get("csr") == record.attributes.get("csr"), csr_kept, "{name}");
            assert_eq!(planned.get("csr").unwrap().is_known(), csr_kept, "{name}");
        }
    }

    #[test]
    fn another_root_issues_again_and_the_same_root_under_another_name_does_not() {
        let (first, second) = (new_root(), new_root());
        let record = record(&with(&issuer("mesh", first.clone()), &[]), None);
        let renamed = with(&issuer("renamed", first), &[]);
        let (planned, changed) = updated(&renamed, &record);
        assert_eq!((changed, planned.get("certificate")), (vec!["issuer".to_owned()], record.attributes.get("certificate")));
        let done = make(&renamed, Some(&record.attributes), NOW + 5).unwrap().attributes;
        assert_eq!(done.get("certificate"), record.attributes.get("certificate"));
        let other = with(&issuer("mesh", second.clone()), &[]);
        let (planned, changed) = updated(&other, &record);
        assert_eq!((changed, planned.get("root_certificate")), (vec!["issuer".to_owned()], second.get("certificate")));
        assert!(!planned.get("chain").unwrap().is_known());
        let unknown = with(&issuer("mesh", Value::unknown(Type::Any)), &[]);
        assert_eq!(updated(&unknown, &record).1, ["issuer"]);
    }

    #[test]
    fn an_offline_root_leaves_a_request_until_its_signed_certificate_is_given() {
        let root = new_root();
        let issuer = offline(&root);
        let warnings = IntermediateKind::default().validate(&with(&issuer, &[]));
        assert_eq!(
            warnings.iter().map(|problem| (problem.warning, problem.summary.as_str())).collect::<Vec<_>>(),
            [(true, "intermediate not signed")]
        );
        assert!(warnings[0].help.as_deref().is_some_and(|help| help.contains("`csr`") && help.contains("`signed_certificate`")));
        let unsigned = record(&with(&issuer, &[]), None);
        assert!(unsigned.attributes.get("chain").is_some_and(Value::is_null));
        assert!(matches!(planned(&with(&issuer, &[]), Some(&unsigned)), Planned::Keep(_)));
        let signed = signed_elsewhere(&unsigned, &root);
        let desired = with(&issuer, &[("signed_certificate", signed.clone())]);
        assert_eq!(IntermediateKind::default().validate(&desired), []);
        let (planned, changed) = updated(&desired, &unsigned);
        assert_eq!((changed, planned.get("certificate")), (vec!["signed_certificate".to_owned()], Some(&signed)));
        assert!(planned.is_known(), "everything is known before apply");
        let done = make(&desired, Some(&unsigned.attributes), NOW + 9).unwrap();
        assert_eq!((done.attributes.text("csr"), done.attributes.get("chain")), (unsigned.attributes.text("csr"), planned.get("chain")));
        assert!(done.notes.is_empty());
    }

    #[test]
    fn the_arrival_of_the_key_signs_what_was_left() {
        let root = new_root();
        let unsigned = record(&with(&offline(&root), &[]), None);
        let desired = with(&issuer("mesh", root), &[]);
        assert_eq!(updated(&desired, &unsigned).1, ["issuer"]);
        let done = make(&desired, Some(&unsigned.attributes), NOW).unwrap().attributes;
        assert!(done.present("certificate").is_some());
        assert_eq!(done.get("private_key").and_then(Value::as_str), unsigned.attributes.text("private_key"));
    }

    #[test]
    fn a_certificate_that_is_not_for_it_is_refused() {
        let (root, other) = (new_root(), new_root());
        let issuer = offline(&root);
        let (unsigned, stranger) = (record(&with(&issuer, &[]), None), record(&with(&issuer, &[]), None));
        let given = |value: Value| with(&issuer, &[("signed_certificate", value)]);
        let details =
            |arguments: &Value| -> Vec<_> { IntermediateKind::default().validate(arguments).into_iter().map(|p| p.detail).collect() };
        let astray = "`signed_certificate`: it does not lead to the issuer's certificate";
        assert_eq!(details(&given(signed_elsewhere(&unsigned, &other))), [astray]);
        assert_eq!(details(&given(root.get("certificate").unwrap().clone())), [astray]);
        assert_eq!(details(&given(Value::string("x"))), ["`signed_certificate`: the text holds no `BEGIN CERTIFICATE` block"]);
        let Planned::Refused(problem) = planned(&given(signed_elsewhere(&stranger, &root)), Some(&unsigned)) else { panic!("not refused") };
        assert_eq!(problem.detail, "`signed_certificate`: it is not for this intermediate's key: it was signed from another `csr`");
        let Planned::Refused(problem) = planned(&given(signed_elsewhere(&unsigned, &root)), None) else { panic!("not refused") };
        assert_eq!(problem.summary, "certificate before its key");
    }

    #[test]
    fn an_existing_pair_is_brought_along() {
        let root = new_root();
        let made = record(&with(&offline(&root), &[]), None);
        let key = made.attributes.get("private_key").unwrap().clone();
        let desired = with(&offline(&root), &[("signed_certificate", signed_elsewhere(&made, &root)), ("private_key_pem", key.clone())]);
        assert_eq!(IntermediateKind::default().validate(&desired), []);
        let Planned::Create(planned_attributes) = planned(&desired, None) else { panic!("no create") };
        assert!(planned_attributes.get("chain").is_some_and(Value::is_known));
        let brought = record(&desired, None);
        assert_eq!(brought.attributes.get("chain"), planned_attributes.get("chain"));
        assert!(brought.attributes.get("private_key_pem").is_some_and(Value::is_null));
        assert!(matches!(planned(&desired, Some(&brought)), Planned::Keep(_)));
    }

    #[test]
    fn names_are_checked() {
        let root = issuer("mesh", new_root());
        for (name, fits) in [("istiod.istio-system.svc", true), ("*.local", true), ("", false), ("a b", false), ("ü", false)] {
            let arguments = with(&root, &[("dns_names", Value::tuple(vec![Value::string(name)]))]);
            assert_eq!(IntermediateKind::default().validate(&arguments).is_empty(), fits, "{name}");
        }
    }
}
