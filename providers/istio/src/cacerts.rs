//! `istio_cacerts`: the authority that a cluster's istiod signs with, as the Secret it reads.

use crate::arguments::{ISTIO_SYSTEM, label, object, referring, usual};
use engine::schema::{Adjustment, Attribute, Comparison, Kind, Planned, Problem, Schema};
use engine::value::{Type, Value};
use kubernetes::{Json, ObjectKind, Until, Wait};

/// The kind's name.
pub(crate) const CACERTS: &str = "istio_cacerts";
/// The computed attribute with every root that the cluster trusts.
pub(crate) const TRUSTED: &str = "trusted_certificates";

/// `istio_cacerts`.
pub struct CaCerts {
    schema: Schema,
}

impl Default for CaCerts {
    fn default() -> Self {
        let more = "Further roots to trust, as PEM: both roots while a mesh moves from one to the other.";
        let mut attributes = vec![
            Attribute::required("cluster", Type::Reference("cluster"), "The cluster whose istiod reads it."),
            Attribute::optional("namespace", Type::String, "The namespace of the control plane. It has to be there.")
                .default(Value::string(ISTIO_SYSTEM))
                .replaces(),
            Attribute::required("intermediate", Type::Reference("intermediate"), "The intermediate authority: one per cluster."),
            Attribute::optional("additional_root_certificates", Type::list(Type::String), more),
            Attribute::computed("root_certificate", Type::String, "The root's certificate, as PEM: the same in all clusters of a mesh."),
            Attribute::computed(
                TRUSTED,
                Type::list(Type::String),
                "Every root that the cluster trusts, as PEM: that of the intermediate first.",
            ),
            Attribute::computed("fingerprint", Type::String, "SHA-256 of the intermediate certificate's DER form, in hexadecimal digits."),
        ];
        attributes.extend(usual());
        let schema = Schema {
            kind: CACERTS,
            doc: "The Secret `cacerts`: an intermediate authority for a cluster's istiod. It has to be there before istiod starts.",
            version: 1,
            attributes,
            classes: &["cacerts"],
            place: Some("cluster"),
            outside: true,
            settles: true,
        };
        Self { schema }
    }
}

impl ObjectKind for CaCerts {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        label(arguments, "namespace").into_iter().chain(unsigned(arguments)).collect()
    }

    fn object(&self, arguments: &Value) -> Option<Result<Value, Problem>> {
        // Whether it is signed may show only when it is made.
        Some(referring(arguments, "intermediate").and_then(|()| match unsigned(arguments) {
            Some(problem) => Err(problem),
            None => Ok(secret(arguments)),
        }))
    }

    fn attributes(&self, arguments: &Value, _: Option<&Json>) -> Vec<(&'static str, Value)> {
        let of = |name: &'static str| Some((name, arguments.get("intermediate")?.referent(name)?.clone()));
        let mut known: Vec<_> = ["root_certificate", "fingerprint"].into_iter().filter_map(of).collect();
        known.push((TRUSTED, trusted(arguments)));
        known
    }

    fn wait(&self, _: &Value) -> Wait {
        Wait { until: Until::Nothing, seconds: None }
    }
}

/// The Secret with the four files that istiod reads, and no others.
fn secret(arguments: &Value) -> Value {
    let of = |name: &str| {
        let value = arguments.get("intermediate").and_then(|intermediate| intermediate.referent(name));
        value.cloned().unwrap_or_else(|| Value::unknown(Type::String))
    };
    let files = Value::object([
        ("ca-cert.pem", of("certificate")),
        ("ca-key.pem", of("private_key").sensitive()),
        ("root-cert.pem", roots(arguments, of("root_certificate"))),
        ("cert-chain.pem", of("chain")),
    ]);
    let namespace = arguments.get("namespace").cloned().unwrap_or_else(Value::null);
    Value::object([
        ("apiVersion", Value::string("v1")),
        ("kind", Value::string("Secret")),
        ("metadata", object([("name", Value::string("cacerts")), ("namespace", namespace)])),
        ("type", Value::string("Opaque")),
        ("stringData", files),
    ])
}

/// All roots as the text of `root-cert.pem`. Their order does not follow from which of them signs: istiod before 1.30 takes another file only where
/// one of the two holds the other as text, and reads no new key beside one that it does not take.
fn roots(arguments: &Value, root: Value) -> Value {
    let trusted = trusted(arguments);
    if !trusted.is_known() {
        // Without others to trust it is the root's own text, once that is known.
        return if others(arguments).is_some_and(|others| others.is_empty()) { root } else { Value::unknown(Type::String) };
    }
    match trusted.items() {
        [] | [_] => root,
        several => {
            let mut texts: Vec<_> = several.iter().filter_map(Value::as_str).map(str::trim).collect();
            texts.sort_unstable();
            Value::string(texts.join("\n") + "\n")
        }
    }
}

/// Every root that the cluster trusts, the intermediate's own first, each once; unknown while one of them is.
fn trusted(arguments: &Value) -> Value {
    let root = arguments.get("intermediate").and_then(|intermediate| intermediate.referent("root_certificate")).and_then(Value::as_str);
    let (Some(root), Some(others)) = (root, others(arguments)) else { return Value::unknown(Type::list(Type::String)) };
    let mut all = vec![root];
    for other in others {
        if all.iter().all(|known| known.trim() != other.trim()) {
            all.push(other);
        }
    }
    Value::tuple(all.into_iter().map(Value::string).collect())
}

/// The roots to trust beside the intermediate's own: the other generations of that, and those of the arguments; nothing while they are not
/// known.
fn others(arguments: &Value) -> Option<Vec<&str>> {
    let of_issuer = arguments.get("intermediate").and_then(|intermediate| intermediate.referent("additional_root_certificates"));
    let given = arguments.present("additional_root_certificates");
    let lists = || of_issuer.into_iter().chain(given);
    lists().all(Value::is_known).then(|| lists().flat_map(Value::items).filter_map(Value::as_str).collect())
}

/// What a record says the cluster trusts; of older ones by the parts that they have.
fn trusted_before(prior: &Value) -> Vec<&str> {
    let list = |name| prior.present(name).map(Value::items).unwrap_or_default().iter().filter_map(Value::as_str);
    prior.text("root_certificate").into_iter().chain(list(TRUSTED)).chain(list("additional_root_certificates")).map(str::trim).collect()
}

/// Trust has to be in a cluster before anything is signed with it, and stay as long as something may be left: a step of a rotation that an
/// interrupted apply left out is missed here, cluster by cluster.
pub(crate) struct Rotating;

impl Adjustment for Rotating {
    fn planned(&self, base: &dyn Kind, asked: Comparison<'_>) -> Planned {
        match asked.prior.and_then(|prior| skipped(asked.desired, &prior.attributes)) {
            Some(problem) => Planned::Refused(problem),
            None => base.planned(asked),
        }
    }
}

/// Why a cluster cannot go from the root that it signs with to the one that it should.
fn skipped(arguments: &Value, prior: &Value) -> Option<Problem> {
    let former = prior.text("root_certificate")?.trim();
    let next = arguments.get("intermediate")?.referent("root_certificate")?;
    if next.as_str().is_some_and(|next| next.trim() == former) {
        return None;
    }
    let problem = |detail: &str, help: &str| Some(Problem::with("intermediate", "root not trusted yet", detail).help(help));
    if next.as_str().is_none_or(|next| !trusted_before(prior).contains(&next.trim())) {
        let detail = "the cluster does not trust the root of its new intermediate yet: workloads would refuse each other from one moment to the next";
        let help = "Let the former root sign, and apply with the new one among those that are trusted first: as another of the root's `generations`, or in \
            `additional_root_certificates`.";
        return problem(detail, help);
    }
    let trusted = trusted(arguments);
    if trusted.is_known() && !trusted.items().iter().filter_map(Value::as_str).any(|root| root.trim() == former) {
        let detail = "the cluster would stop trusting the root that its workloads have certificates of";
        let help = "Keep the former root among those that are trusted until nothing signed with it is left: in the root's `generations`, or in \
            `additional_root_certificates`.";
        return problem(detail, help);
    }
    None
}

/// An intermediate whose root is elsewhere, and which nobody signed yet.
fn unsigned(arguments: &Value) -> Option<Problem> {
    let intermediate = arguments.get("intermediate")?;
    let address = &intermediate.instance()?.address;
    if !intermediate.referent("certificate")?.is_null() {
        return None;
    }
    let detail = format!("`{address}` has no certificate yet, and istiod refuses a part of an authority");
    let help = format!("Have the `csr` of `{address}` signed with the root's key and give the result to it as `signed_certificate`.");
    Some(Problem::with("intermediate", "intermediate not signed", detail).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::{cluster, reference};
    use serde_json::json;

    fn intermediate(changes: &[(&str, Value)]) -> Value {
        let attributes = json!({ "certificate": "CERT\n", "private_key": "KEY\n", "chain": "CERT\nROOT\n", "root_certificate": "ROOT\n", "fingerprint": "f0" });
        reference(&["intermediate"], "i", Value::from_json(&attributes).with_entries(changes.iter().cloned()))
    }

    fn arguments(intermediate: Value) -> Value {
        CaCerts::default().schema().defaults().with_entries([("cluster", cluster("c1")), ("intermediate", intermediate)])
    }

    #[test]
    fn the_secret_holds_exactly_the_four_files() {
        let object = CaCerts::default().object(&arguments(intermediate(&[]))).unwrap().unwrap();
        let expected = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": "cacerts", "namespace": "istio-system" },
            "type": "Opaque",
            "stringData": { "ca-cert.pem": "CERT\n", "ca-key.pem": "KEY\n", "root-cert.pem": "ROOT\n", "cert-chain.pem": "CERT\nROOT\n" },
        });
        assert_eq!(object.to_json().unwrap(), expected);
        assert!(object.get("stringData").unwrap().get("ca-key.pem").unwrap().is_marked_sensitive());
    }

    #[test]
    fn nothing_of_the_key_is_an_attribute() {
        let arguments = arguments(intermediate(&[]));
        assert_eq!(
            CaCerts::default().attributes(&arguments, None),
            [
                ("root_certificate", Value::string("ROOT\n")),
                ("fingerprint", Value::string("f0")),
                (TRUSTED, Value::tuple(vec![Value::string("ROOT\n")]))
            ]
        );
        let kept = CaCerts::default().remembered(&arguments, b"key").to_json().unwrap();
        assert!(!kept.to_string().contains("KEY"), "{kept}");
    }

    #[test]
    fn an_intermediate_that_is_issued_again_has_another_fingerprint() {
        let again = arguments(intermediate(&[("fingerprint", Value::unknown(Type::String))]));
        let computed = Value::object(CaCerts::default().attributes(&again, None));
        assert!(computed.get("fingerprint").is_some_and(|fingerprint| !fingerprint.is_known()), "the old one is not promised");
        assert_eq!(computed.text("root_certificate"), Some("ROOT\n"));
    }

    #[test]
    fn what_is_not_issued_yet_leaves_the_rest_known() {
        let open = intermediate(&[("certificate", Value::unknown(Type::String)), ("chain", Value::unknown(Type::String))]);
        let object = CaCerts::default().object(&arguments(open)).unwrap().unwrap();
        let files = object.get("stringData").unwrap();
        assert_eq!(files.text("root-cert.pem"), Some("ROOT\n"));
        assert!(["ca-cert.pem", "cert-chain.pem"].iter().all(|name| !files.get(name).unwrap().is_known()));
        let whole = reference(&["intermediate"], "i", Value::unknown(Type::Any));
        assert!(!CaCerts::default().object(&arguments(whole)).unwrap().unwrap().is_known());
    }

    #[test]
    fn both_roots_are_trusted_while_a_mesh_moves() {
        let rows = [
            (Value::tuple(vec![]), Some("ROOT\n")),
            (Value::tuple(vec![Value::string("NEW\n\n")]), Some("NEW\nROOT\n")),
            (Value::tuple(vec![Value::unknown(Type::String)]), None),
        ];
        for (more, expected) in rows {
            let arguments = arguments(intermediate(&[])).with_entries([("additional_root_certificates", more)]);
            let object = CaCerts::default().object(&arguments).unwrap().unwrap();
            assert_eq!(object.get("stringData").unwrap().text("root-cert.pem"), expected);
        }
    }

    #[test]
    fn a_cluster_signs_with_what_it_trusts_and_trusts_what_it_signed_with() {
        let list = |texts: &[&str]| Value::tuple(texts.iter().map(|text| Value::string(*text)).collect());
        let desired = |root: Value, others: &[&str]| {
            arguments(intermediate(&[("root_certificate", root), ("additional_root_certificates", list(others))]))
        };
        let record = |root: &str, trusted: &[&str]| Value::object([("root_certificate", Value::string(root)), (TRUSTED, list(trusted))]);
        let old = Value::object([("root_certificate", Value::string("OLD")), ("additional_root_certificates", list(&["NEW"]))]);
        let text = |text: &str| Value::string(text);
        for (prior, desired, fits) in [
            (record("OLD", &["OLD"]), desired(text("OLD\n"), &["NEW"]), true),
            (record("OLD", &["OLD", "NEW"]), desired(text("NEW"), &["OLD"]), true),
            (record("NEW", &["NEW", "OLD"]), desired(text("NEW"), &[]), true),
            (record("OLD", &["OLD"]), desired(text("NEW"), &["OLD"]), false),
            (record("OLD", &["OLD"]), desired(Value::unknown(Type::String), &["OLD"]), false),
            (record("OLD", &["OLD", "NEW"]), desired(text("NEW"), &[]), false),
            (old, desired(text("NEW"), &["OLD"]), true),
            (Value::object([("root_certificate", Value::null())]), desired(text("NEW"), &[]), true),
        ] {
            let told = skipped(&desired, &prior).map(|problem| problem.summary);
            assert_eq!(told.as_deref(), (!fits).then_some("root not trusted yet"), "{prior:?}");
        }
        let both = CaCerts::default().object(&desired(text("NEW\n"), &["OLD\n", "NEW"])).unwrap().unwrap();
        assert_eq!(both.get("stringData").unwrap().text("root-cert.pem"), Some("NEW\nOLD\n"));
    }

    #[test]
    fn an_unsigned_intermediate_is_refused_with_what_to_do() {
        let problems = CaCerts::default().validate(&arguments(intermediate(&[("certificate", Value::null())])));
        assert_eq!(problems.iter().map(|problem| problem.summary.as_str()).collect::<Vec<_>>(), ["intermediate not signed"]);
        assert!(problems[0].help.as_deref().is_some_and(|help| help.contains("`signed_certificate`")));
        let object = CaCerts::default().object(&arguments(intermediate(&[("certificate", Value::null())]))).unwrap();
        assert_eq!(object.unwrap_err(), problems[0], "a part of an authority is never written");
        assert!(CaCerts::default().validate(&arguments(intermediate(&[]))).is_empty());
        assert!(CaCerts::default().validate(&arguments(intermediate(&[("certificate", Value::unknown(Type::String))]))).is_empty());
    }

    #[test]
    fn a_record_writes_no_object() {
        let recorded = arguments(intermediate(&[])).with_entries([("intermediate", Value::string("ca_intermediate.c1"))]);
        assert!(CaCerts::default().object(&recorded).unwrap().is_err());
    }
}
