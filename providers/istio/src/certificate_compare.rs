//! `certificate_compare`: whether clusters trust the same roots.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::diagnostic::Diagnostic;
use engine::port::BoxFuture;
use engine::question::Answer;
use engine::schema::{Attribute, Problem, Schema};
use engine::value::{Type, Value, hex};
use futures::future::join_all;
use kubernetes::{Answered, Cluster, DataSource, Json, Plain, Source};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The key that roots stand under, in a Secret and in a `ConfigMap`.
const ROOTS: &str = "root-cert.pem";
/// Where roots are found.
const FROM: [&str; 2] = ["cacerts", "istio-ca-root-cert"];

/// `data.certificate_compare`.
pub struct CertificateCompare {
    schema: Schema,
}

impl Default for CertificateCompare {
    fn default() -> Self {
        let from = "Where to look: `cacerts`, the Secret that istiod signs with, or `istio-ca-root-cert`, the ConfigMap that istiod writes for the workloads of a namespace.";
        let attributes = vec![
            Attribute::required(
                "clusters",
                Type::map(Type::Reference("cluster")),
                "The clusters to compare, by names of your choice: those in results.",
            ),
            Attribute::optional("from", Type::String, from).default(Value::string(FROM[0])),
            Attribute::optional("namespace", Type::String, "The namespace to look in.").default(Value::string("istio-system")),
            Attribute::computed(
                "roots",
                Type::map(Type::list(Type::String)),
                "By cluster the SHA-256 of each root in DER, hexadecimal and sorted; none where there is no such Secret or ConfigMap.",
            ),
            Attribute::computed("equal", Type::Bool, "Whether every cluster has roots, and all of them the same."),
        ];
        let doc = "Whether the roots of trust of several clusters are the same: without that, no workload of one talks to one of another.";
        let kind = "certificate_compare";
        let schema = Schema { kind, doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false };
        Self { schema }
    }
}

impl DataSource for CertificateCompare {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn probes(&self) -> bool {
        true
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let wrong = arguments.text("from").filter(|from| !FROM.contains(from));
        let problem = |from| {
            let detail = format!("roots stand in `{}` or in `{}`, and not in `{from}`", FROM[0], FROM[1]);
            Problem::with("from", "unknown place of roots", detail).help("Write one of these.")
        };
        wrong.map(problem).into_iter().collect()
    }

    fn read<'a>(&'a self, arguments: &'a Value, source: Source<'a>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let (from, namespace) = (arguments.text("from").unwrap_or(FROM[0]), arguments.text("namespace").unwrap_or_default());
            let clusters = arguments.get("clusters").map(Value::entries).unwrap_or_default();
            let asked = clusters.iter().map(|entry| async {
                let about = |why: &str| Answer::Unreachable(format!("cluster `{}`: {why}", entry.key).into());
                let cluster = source.cluster(&entry.value).await.map_err(|why| about(&why))?;
                let found = text_of(&cluster, from, namespace).await.map_err(|why| about(&why))?;
                let roots = found.map(|text| fingerprints(&text)).transpose();
                let roots = roots.map_err(|why| Answer::Refused(unreadable((&entry.key, from), why)))?;
                Ok((entry.key.to_string(), roots.unwrap_or_default()))
            });
            let found: Result<BTreeMap<String, BTreeSet<String>>, Answer> = join_all(asked).await.into_iter().collect();
            match found {
                Ok(found) => Answer::Present(arguments.with_entries(told(&found))),
                Err(answer) => answer,
            }
        })
    }
}

fn unreadable((cluster, from): (&str, &str), why: &str) -> Diagnostic {
    Diagnostic::error("roots not readable", format!("`{ROOTS}` in `{from}` of cluster `{cluster}`: {why}"))
}

fn told(found: &BTreeMap<String, BTreeSet<String>>) -> [(&'static str, Value); 2] {
    let first = found.values().next();
    let equal = found.values().all(|roots| !roots.is_empty() && Some(roots) == first);
    let list = |roots: &BTreeSet<String>| Value::tuple(roots.iter().map(|root| Value::string(root.as_str())).collect());
    let roots = Value::object(found.iter().map(|(name, roots)| (name.as_str(), list(roots))));
    [("roots", roots), ("equal", Value::bool(equal))]
}

/// The PEM text of a cluster's roots; nothing if there is none.
async fn text_of(cluster: &Cluster, from: &str, namespace: &str) -> Result<Option<String>, String> {
    let resource = if from == FROM[0] { "secrets" } else { "configmaps" };
    let answered = cluster.plain(Plain::Get(&format!("/api/v1/namespaces/{namespace}/{resource}/{from}"))).await?;
    let Answered::Done(object) = answered else { return Ok(None) };
    let Some(text) = object.get("data").and_then(|data| data.get(ROOTS)).and_then(Json::as_str) else { return Ok(None) };
    if resource == "configmaps" {
        return Ok(Some(text.to_owned()));
    }
    let bytes = STANDARD.decode(text).map_err(|_| format!("`{ROOTS}` is no base64"))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The SHA-256 of each certificate of a PEM text, in DER.
fn fingerprints(pem: &str) -> Result<BTreeSet<String>, &'static str> {
    let mut found = BTreeSet::new();
    for part in pem.split("-----BEGIN CERTIFICATE-----").skip(1) {
        let (body, _) = part.split_once("-----END CERTIFICATE-----").ok_or("a certificate has no end")?;
        let base64: String = body.chars().filter(|c| !c.is_whitespace()).collect();
        let der = STANDARD.decode(base64).map_err(|_| "a certificate is no base64")?;
        found.insert(hex(&Sha256::digest(der)));
    }
    if found.is_empty() { Err("there is no certificate in it") } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(der: &[u8]) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
    }

    #[test]
    fn roots_are_told_by_what_they_hold_and_not_by_how_they_are_written() {
        let sha = |der: &[u8]| hex(&Sha256::digest(der));
        let (one, other) = (pem(b"one"), pem(b"other"));
        assert_eq!(fingerprints(&one), Ok(BTreeSet::from([sha(b"one")])));
        let broken = one.replace("b25l", "b2\n  5l");
        assert_eq!(fingerprints(&broken), fingerprints(&one));
        assert_eq!(fingerprints(&(one.clone() + "# of the mesh\n" + &other)), fingerprints(&(other + &one)));
        for (text, why) in [
            ("", "there is no certificate in it"),
            ("-----BEGIN CERTIFICATE-----\nb25l", "a certificate has no end"),
            ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", "a certificate is no base64"),
        ] {
            assert_eq!(fingerprints(text), Err(why));
        }
    }

    #[test]
    fn where_roots_may_stand_is_known() {
        let told = |from: &str| {
            let told = CertificateCompare::default().validate(&Value::object([("from", Value::string(from))]));
            told.into_iter().map(|problem| problem.summary).collect::<Vec<_>>()
        };
        assert_eq!((told("cacerts"), told("istio-ca-root-cert")), (Vec::new(), Vec::new()));
        assert_eq!(told("testing"), ["unknown place of roots"]);
        assert_eq!(unreadable(("c1", "cacerts"), "x").to_string(), "roots not readable: `root-cert.pem` in `cacerts` of cluster `c1`: x");
    }

    #[test]
    fn roots_are_equal_if_every_cluster_has_the_same() {
        let of = |roots: &[&[&str]]| -> BTreeMap<String, BTreeSet<String>> {
            let set = |roots: &[&str]| roots.iter().map(|root| (*root).to_owned()).collect();
            roots.iter().enumerate().map(|(at, roots)| (format!("c{at}"), set(roots))).collect()
        };
        for (roots, expected) in [
            (of(&[&["a"], &["a"]]), true),
            (of(&[&["a", "b"], &["b", "a"]]), true),
            (of(&[&["a"], &["b"]]), false),
            (of(&[&["a"], &["a", "b"]]), false),
            (of(&[&["a"], &[]]), false),
            (of(&[&[], &[]]), false),
        ] {
            assert_eq!(told(&roots)[1].1.as_bool(), Some(expected), "{roots:?}");
        }
    }
}
