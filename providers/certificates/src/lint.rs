//! What is wrong with authorities, whoever makes them: those of the state, and those that stand in Secrets for istiod.

use crate::issue::Key;
use crate::read::{Certificate, contents, moment};
use engine::address::Address;
use engine::schema::{Lint, LintInput, LintInstance, Problem, Rule};
use engine::value::Value;

/// Authorities whose keys everybody has.
static SAMPLE_CERTIFICATES: Rule = Rule {
    id: "sample-certificates",
    summary: "sample certificates",
    warning: false,
    finds: "An authority is one of the certificates in `samples/certs` of Istio's releases, or was issued by one.",
    why: "Their keys are published: anybody can sign identities that the mesh accepts.",
    help: "Use `ca_root` and `ca_intermediate`, or an authority of your own.",
};
/// A key that does not belong.
static KEY_CERTIFICATE_MISMATCH: Rule = Rule {
    id: "key-certificate-mismatch",
    summary: "key of another certificate",
    warning: false,
    finds: "In a Secret with the files of an authority `ca-key.pem` is not the key of `ca-cert.pem`.",
    why: "Istiod does not start with it, or older ones sign with a root that they make themselves.",
    help: "Take certificate and key of the same request.",
};
/// A chain that ends early.
static BROKEN_CHAIN: Rule = Rule {
    id: "broken-chain",
    summary: "chain does not lead to the root",
    warning: false,
    finds: "In a Secret with the files of an authority `cert-chain.pem` does not lead from `ca-cert.pem` to a certificate of `root-cert.pem`.",
    why: "Workloads show chains that nobody can verify, and every connection fails.",
    help: "Write the intermediate first, then each issuer of the one before it.",
};
/// An authority that may not issue the next.
static PATH_LENGTH: Rule = Rule {
    id: "path-length",
    summary: "path length too short",
    warning: false,
    finds: "A certificate of a chain allows fewer authorities below it than there are.",
    why: "Whoever verifies the chain refuses it.",
    help: "Issue it again with a longer path length, or without one.",
};
/// An authority that ends soon.
static CERTIFICATE_EXPIRES: Rule = Rule {
    id: "certificate-expires",
    summary: "authority expires soon",
    warning: true,
    finds: "An authority has less than a third of its validity left, or less than 180 days if that is sooner, or has expired.",
    why: "When it ends, nothing that it signed is accepted any more; a root takes three applies and the lifetime of workload certificates to rotate.",
    help: "Count up `generation` of a `ca_intermediate`; add a generation to a `ca_root`.",
};

/// The lint of the provider `ca`.
pub(crate) struct AuthorityLint;

impl Lint for AuthorityLint {
    fn rules(&self) -> &'static [&'static Rule] {
        static ALL: &[&Rule] = &[&SAMPLE_CERTIFICATES, &KEY_CERTIFICATE_MISMATCH, &BROKEN_CHAIN, &PATH_LENGTH, &CERTIFICATE_EXPIRES];
        ALL
    }

    fn look(&self, input: &LintInput<'_>) -> Vec<(Address, Problem)> {
        let mut found = Vec::new();
        for at in input.instances.iter().filter(|at| at.is_managed()) {
            let problems = match at.kind {
                "ca_root" | "ca_intermediate" => of_state(at, input.now),
                // What is in it was looked at where it is made.
                "istio_cacerts" => Vec::new(),
                _ => at.written.as_ref().map(|object| of_secret(object, input.now)).unwrap_or_default(),
            };
            found.extend(problems.into_iter().map(|problem| (at.address.clone(), problem)));
        }
        found
    }
}

/// What is wrong with an authority of the state.
fn of_state(at: &LintInstance<'_>, now: u64) -> Vec<Problem> {
    let Some(own) = at.attributes.text("certificate").and_then(|text| Certificate::read_one(text).ok()) else { return Vec::new() };
    let named = format!("`{}`", at.address);
    let mut problems: Vec<_> = sample(&named, &[&own]).into_iter().chain(expiring(&named, &own, now)).collect();
    for authority in at.attributes.get("additional_certificates").map(Value::items).unwrap_or_default() {
        let other = authority.as_str().and_then(|text| Certificate::read_one(text).ok());
        problems.extend(other.and_then(|other| expiring(&format!("another generation of {named}"), &other, now)));
    }
    let chain = at.attributes.text("chain").and_then(|text| Certificate::read_all(text).ok()).unwrap_or_default();
    problems.extend(too_short(&named, &chain));
    problems
}

/// What is wrong with an authority in a Secret, if that is what it holds and it can be read.
fn of_secret(object: &Value, now: u64) -> Vec<Problem> {
    if object.text("kind") != Some("Secret") || object.text("apiVersion") != Some("v1") {
        return Vec::new();
    }
    let metadata = |name| object.get("metadata").and_then(|metadata| metadata.text(name)).unwrap_or_default();
    let named = format!("`Secret/{}/{}`", metadata("namespace"), metadata("name"));
    let file = |name: &str| {
        let plain = object.get("stringData").and_then(|data| data.text(name)).map(str::to_owned);
        plain.or_else(|| decoded(object.get("data")?.text(name)?))
    };
    let certificates = |name| file(name).and_then(|text| Certificate::read_all(&text).ok()).unwrap_or_default();
    let (own, chain, roots) = (certificates("ca-cert.pem"), certificates("cert-chain.pem"), certificates("root-cert.pem"));
    let Some(own) = own.into_iter().next() else { return Vec::new() };
    let all: Vec<&Certificate> = std::iter::once(&own).chain(&chain).chain(&roots).collect();
    let mut problems: Vec<_> = sample(&named, &all).into_iter().chain(expiring(&named, &own, now)).collect();
    // The chain repeats the authority itself, and often the root.
    let mut told = vec![&own];
    for (file, certificates) in [("root-cert.pem", &roots), ("cert-chain.pem", &chain)] {
        for certificate in certificates {
            if !told.contains(&certificate) {
                problems.extend(expiring(&format!("a certificate in `{file}` of {named}"), certificate, now));
                told.push(certificate);
            }
        }
    }
    if let Some(key) = file("ca-key.pem").and_then(|text| Key::read(&text).ok())
        && key.public() != own.public_key
    {
        problems.push(KEY_CERTIFICATE_MISMATCH.broken(format!("`ca-key.pem` of {named} is not the key of its `ca-cert.pem`")));
    }
    // The chain begins with the authority itself, and may end with the root or before it.
    let mut path = vec![own.clone()];
    path.extend(chain.into_iter().filter(|certificate| *certificate != own));
    let ends = path.last().is_some_and(|last| roots.iter().any(|root| last == root || last.is_issued_by(root)));
    let holds = path.iter().zip(path.iter().skip(1)).all(|(certificate, issuer)| certificate.is_issued_by(issuer));
    let leads = roots.is_empty() || (ends && holds);
    if !leads {
        problems
            .push(BROKEN_CHAIN.broken(format!("`cert-chain.pem` of {named} does not lead from its `ca-cert.pem` to its `root-cert.pem`")));
    } else if let Some(last) = path.last().cloned() {
        path.extend(roots.into_iter().filter(|root| *root != last && last.is_issued_by(root)).take(1));
        problems.extend(too_short(&named, &path));
    }
    problems
}

/// Base64 as Secrets have it.
fn decoded(text: &str) -> Option<String> {
    let plain: String = text.split_whitespace().collect();
    let pem = format!("-----BEGIN X-----\n{plain}\n-----END X-----\n");
    String::from_utf8(contents(&pem)?).ok()
}

/// The mail address in the subject of the root of Istio's samples, in each of its editions; what it issued names it too.
const SAMPLE_ROOT: &str = "testrootca@istio.io";
/// The samples (`samples/certs`) of current releases, also those of another root, by the SHA-256 of their DER form.
const SAMPLES: [&str; 5] = [
    "63727a1785cab47acec5c24cc0669c20824e8ae1ac28079a4d2f8c830592e7b0",
    "f867174e4a31f1792f8c0354a23f8f049bd4019729cd2ee579d67033065b2dc2",
    "40ff5d9dcaa80833bb7291ef1f89acd9f4da11d6c6006b78897d3f9e2cff86b5",
    "677fbf661531ab421e73bfe7b2ebdb7ec5509174e3dfcd39d24b852e2d46d46c",
    "11c9202c6be8ea5fcfb46d8591a8cf83b20eb97ade97234840851af8763ae428",
];

fn sample(named: &str, certificates: &[&Certificate]) -> Option<Problem> {
    let is_sample = |certificate: &&&Certificate| certificate.names(SAMPLE_ROOT) || SAMPLES.contains(&certificate.fingerprint().as_str());
    let found = certificates.iter().find(is_sample)?;
    let detail = format!("{named} holds the certificate `{}` of Istio's samples, whose key everybody has", found.fingerprint());
    Some(SAMPLE_CERTIFICATES.broken(detail))
}

/// A third of the validity, as long as that is no longer than this.
const HORIZON: i64 = 180 * 86_400;

fn expiring(named: &str, certificate: &Certificate, now: u64) -> Option<Problem> {
    let now = i64::try_from(now).ok().filter(|now| *now > 0)?;
    let (left, validity) = (certificate.not_after - now, certificate.not_after - certificate.not_before);
    if left > (validity / 3).min(HORIZON) {
        return None;
    }
    let end = moment(certificate.not_after).unwrap_or_default();
    let detail = if left > 0 { format!("{named} ends at {end}, in {} days", left / 86_400) } else { format!("{named} has ended at {end}") };
    Some(CERTIFICATE_EXPIRES.broken(detail))
}

/// A certificate of a chain that does not allow as many authorities below it as there are.
fn too_short(named: &str, chain: &[Certificate]) -> Option<Problem> {
    let short =
        chain.iter().enumerate().find(|(below, certificate)| certificate.path_length.is_some_and(|most| (most as usize) < *below))?;
    let (below, certificate) = short;
    let most = certificate.path_length.unwrap_or_default();
    let detail = format!(
        "in the chain of {named} the certificate `{}` allows {most} authorities below it, and there are {below}",
        certificate.fingerprint()
    );
    Some(PATH_LENGTH.broken(detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::{Wanted, intermediate, root};
    use crate::parameters::{Algorithm, Part};
    use serde_json::{Value as Json, json};

    const NOW: u64 = 1_700_000_000;
    const DAY: u64 = 86_400;

    struct Made {
        certificate: Certificate,
        key: Key,
    }

    fn wanted(days: u64) -> Wanted {
        Wanted { subject: Vec::new(), days, dns_names: Vec::new(), now: NOW }
    }

    fn new_root() -> Made {
        let key = Key::generate(Algorithm::EcdsaP256).unwrap();
        let certificate = Certificate::read_one(&root(&wanted(3650), &key).unwrap()).unwrap();
        Made { certificate, key }
    }

    fn below(issuer: &Made, days: u64) -> Made {
        let key = Key::generate(Algorithm::EcdsaP256).unwrap();
        let pem = intermediate(&wanted(days), &key, (&issuer.certificate, &issuer.key)).unwrap();
        Made { certificate: Certificate::read_one(&pem).unwrap(), key }
    }

    fn found(kind: &'static str, attributes: &Json, written: Option<&Json>, now: u64) -> Vec<&'static str> {
        let (address, attributes) = (Address::managed(kind, "a"), Value::from_json(attributes));
        let written = written.map(Value::from_json);
        let instance = LintInstance { address: &address, kind, arguments: &attributes, attributes: &attributes, written, place: None };
        let told = AuthorityLint.look(&LintInput { instances: vec![instance], complete: true, now });
        told.into_iter().map(|(_, problem)| problem.rule.unwrap()).collect()
    }

    fn secret(files: &Json) -> Vec<&'static str> {
        let object = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "cacerts", "namespace": "istio-system" }, "stringData": files });
        found("kubernetes_secret", &json!({}), Some(&object), NOW)
    }

    #[test]
    fn secrets_hold_a_key_a_chain_and_a_root_that_belong_together() {
        let (root, other) = (new_root(), new_root());
        let own = below(&root, 730);
        let chain = format!("{}{}", own.certificate.pem, root.certificate.pem);
        let files = |key: &Made, chain: &str, root: &Made| {
            secret(
                &json!({ "ca-cert.pem": own.certificate.pem, "ca-key.pem": key.key.pem(), "cert-chain.pem": chain, "root-cert.pem": root.certificate.pem }),
            )
        };
        assert_eq!(files(&own, &chain, &root), [""; 0]);
        assert_eq!(files(&own, &own.certificate.pem, &root), [""; 0], "a chain may end before the root");
        assert_eq!(files(&root, &chain, &root), ["key-certificate-mismatch"]);
        assert_eq!(files(&own, &chain, &other), ["broken-chain"]);
        let twice = below(&own, 30);
        let long = format!("{}{}", twice.certificate.pem, own.certificate.pem);
        let told = secret(&json!({ "ca-cert.pem": twice.certificate.pem, "cert-chain.pem": long, "root-cert.pem": root.certificate.pem }));
        assert_eq!(told, ["path-length"], "an intermediate is issued with path length 0");
        assert_eq!(secret(&json!({ "ca-cert.pem": "x" })), [""; 0]);
        let encoded = "LS0tLS1CRUdJTg==";
        assert_eq!(decoded(encoded).as_deref(), Some("-----BEGIN"));
    }

    #[test]
    fn what_ends_soon_is_told_in_time() {
        let root = new_root();
        let own = below(&root, 90);
        let at = |made: &Made, now: u64| found("ca_intermediate", &json!({ "certificate": made.certificate.pem }), None, now);
        assert_eq!(at(&own, NOW + 59 * DAY), [""; 0]);
        assert_eq!(at(&own, NOW + 61 * DAY), ["certificate-expires"]);
        assert_eq!(at(&own, NOW + 91 * DAY), ["certificate-expires"]);
        assert_eq!(at(&root, NOW + (3650 - 181) * DAY), [""; 0]);
        assert_eq!(at(&root, NOW + (3650 - 179) * DAY), ["certificate-expires"]);
        assert_eq!(at(&own, 0), [""; 0], "without a clock nothing ends");
        let generations = json!({ "certificate": root.certificate.pem, "additional_certificates": [own.certificate.pem] });
        assert_eq!(found("ca_root", &generations, None, NOW + 80 * DAY), ["certificate-expires"]);
    }

    #[test]
    fn every_file_of_a_secret_is_looked_at() {
        let (root, old) = (new_root(), new_root());
        let middle = below(&root, 400);
        let own = below(&middle, 90);
        let pem = |of: &[&Made]| of.iter().map(|made| made.certificate.pem.as_str()).collect::<String>();
        let files =
            json!({ "ca-cert.pem": pem(&[&own]), "cert-chain.pem": pem(&[&own, &middle, &root]), "root-cert.pem": pem(&[&root, &old]) });
        let object = Value::from_json(
            &json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "cacerts", "namespace": "istio-system" }, "stringData": files }),
        );
        let told = |days: u64| {
            let problems = of_secret(&object, NOW + days * DAY);
            let expiring = problems.into_iter().filter(|problem| problem.rule == Some(CERTIFICATE_EXPIRES.id));
            expiring.map(|problem| problem.detail.split(" ends at ").next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        let named = "`Secret/istio-system/cacerts`";
        assert_eq!(told(30), [""; 0]);
        assert_eq!(told(80), [named]);
        let (of_chain, of_root) =
            (format!("a certificate in `cert-chain.pem` of {named}"), format!("a certificate in `root-cert.pem` of {named}"));
        assert!(told(350).contains(&of_chain), "{:?}", told(350));
        // Both roots, each once.
        assert_eq!(told(3600).iter().filter(|told| **told == of_root).count(), 2, "{:?}", told(3600));
    }

    #[test]
    fn samples_of_releases_are_recognised() {
        let key = Key::generate(Algorithm::EcdsaP256).unwrap();
        let wanted = Wanted { subject: vec![(Part::CommonName, SAMPLE_ROOT.to_owned())], ..wanted(3650) };
        let pem = root(&wanted, &key).unwrap();
        assert_eq!(found("ca_root", &json!({ "certificate": pem }), None, NOW), ["sample-certificates"]);
        let below = below(&Made { certificate: Certificate::read_one(&pem).unwrap(), key }, 730);
        assert_eq!(secret(&json!({ "ca-cert.pem": below.certificate.pem })), ["sample-certificates"], "what it issued");
        assert_eq!(found("ca_root", &json!({ "certificate": new_root().certificate.pem }), None, NOW), [""; 0]);
        assert!(
            SAMPLES
                .iter()
                .all(|sample| sample.len() == 64 && sample.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()))
        );
    }
}
