//! The effects: making, and keeping what was made. Nothing is waited for and nothing is read outside.

use crate::intermediate::{self, IntermediateKind};
use crate::root::{self, RootKind};
use engine::port::{Asked, BoxFuture, Done, Failure, Provider, Request};
use engine::question::{Answer, Ask, Question};
use engine::schema::Kind;
use engine::value::Value;
use std::future::ready;
use std::sync::Arc;

/// The provider of authorities.
#[derive(Default)]
pub(crate) struct Certificates {
    root: Arc<RootKind>,
    intermediate: Arc<IntermediateKind>,
}

impl Provider for Certificates {
    fn resources(&self) -> Vec<Arc<dyn Kind>> {
        vec![self.root.clone(), self.intermediate.clone()]
    }

    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
        let answers = asked.into_iter().map(|asked| {
            let answer = match &asked.question.ask {
                Ask::Read { record, .. } => Answer::Present(record.attributes.clone()),
                Ask::Exists(_) => Answer::Absent,
                Ask::Import(_)
                | Ask::Describe { .. }
                | Ask::Render { .. }
                | Ask::Preview(_)
                | Ask::Obstacles(_)
                | Ask::Users { .. }
                | Ask::Place { .. }
                | Ask::Data { .. }
                | Ask::File { .. }
                | Ask::Files { .. } => Answer::Unreachable("certificates live in the state alone".into()),
            };
            (asked.question, answer)
        });
        Box::pin(ready(answers.collect()))
    }

    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        let made = match &*request.kind {
            "ca_root" => root::make(&request.arguments, request.now),
            _ => intermediate::make(&request.arguments, None, request.now),
        };
        Box::pin(ready(made))
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        let attributes = request.prior.map_or(request.arguments, |prior| prior.attributes);
        Box::pin(ready(Ok(Done::new(attributes))))
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        let prior = request.prior.as_ref().map_or_else(Value::null, |prior| prior.attributes.clone());
        let updated = match &*request.kind {
            "ca_root" => root::update(&request.arguments, &prior, request.now),
            _ => intermediate::make(&request.arguments, Some(&prior), request.now),
        };
        Box::pin(ready(updated))
    }

    fn delete(&self, _: Request) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::Key;
    use engine::address::Address;
    use engine::port::Activity;

    use engine::state::RecordId;
    use std::fmt::Write as _;
    use std::io::Write as _;
    use std::process::Command;
    use std::task::{Context, Poll, Waker};
    use std::time::{SystemTime, UNIX_EPOCH};

    fn now() -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
    }

    fn ready_now<T>(mut future: BoxFuture<'_, T>) -> T {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("nothing outside is waited for"),
        }
    }

    fn created(kind: &str, changes: Vec<(&'static str, Value)>) -> Value {
        let provider = Certificates::default();
        let kinds = provider.resources();
        let schema = kinds.iter().find(|known| known.schema().kind == kind).unwrap().schema();
        let defaults = schema.defaults();
        let request = Request {
            address: Address::managed(kind, "x"),
            kind: kind.into(),
            id: RecordId::new("r-1"),
            place: None,
            arguments: root::complete(&defaults, changes),
            prior: None,
            timeout: None,
            now: now(),
            secret_key: Arc::from([]),
            activity: Activity::default(),
        };
        ready_now(provider.create(request)).unwrap().attributes
    }

    fn pair(algorithm: &str) -> (Value, Value) {
        let algorithm = Value::string(algorithm);
        let root = created("ca_root", vec![("algorithm", algorithm.clone())]);
        let issuer = Value::reference(Address::managed("ca_root", "mesh"), &["issuer"], root.clone());
        (root, created("ca_intermediate", vec![("issuer", issuer), ("algorithm", algorithm)]))
    }

    /// A workload's certificate as istiod would sign it.
    fn leaf(intermediate: &Value) -> Vec<u8> {
        let key = rcgen::KeyPair::from_pem(intermediate.text("private_key").unwrap()).unwrap();
        let issuer = rcgen::Issuer::from_ca_cert_pem(intermediate.text("certificate").unwrap(), key).unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["workload.example".to_owned()]).unwrap();
        params.not_before = time::OffsetDateTime::now_utc();
        params.not_after = params.not_before + time::Duration::hours(24);
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        params.signed_by(&rcgen::KeyPair::generate().unwrap(), &issuer).unwrap().der().to_vec()
    }

    fn der(pem: &str) -> Vec<u8> {
        x509_parser::pem::Pem::iter_from_buffer(pem.as_bytes()).next().unwrap().unwrap().contents
    }

    #[test]
    fn a_workload_of_one_cluster_trusts_one_of_another() {
        for algorithm in ["ecdsa-p256", "ecdsa-p384", "rsa-2048"] {
            let (root, intermediate) = pair(algorithm);
            let (root, above) = (der(root.text("certificate").unwrap()).into(), der(intermediate.text("certificate").unwrap()).into());
            let anchor = webpki::anchor_from_trusted_cert(&root).unwrap();
            let leaf = leaf(&intermediate).into();
            let workload = webpki::EndEntityCert::try_from(&leaf).unwrap();
            let (anchors, above) = ([anchor], [above]);
            let verified = workload.verify_for_usage(
                webpki::ALL_VERIFICATION_ALGS,
                &anchors,
                &above,
                rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(now() + 60)),
                webpki::KeyUsage::server_auth(),
                None,
                None,
            );
            assert!(verified.is_ok(), "{algorithm}: {:?}", verified.err());
        }
    }

    #[test]
    fn openssl_verifies_what_is_issued() {
        if Command::new("openssl").arg("version").output().is_err() {
            assert!(std::env::var("MESHPLAN_REQUIRE_REAL").is_err(), "openssl is required and not there");
            writeln!(std::io::stderr(), "skipped: needs openssl").unwrap();
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        let openssl = |arguments: &[&str]| {
            let output = Command::new("openssl").args(arguments).current_dir(directory.path()).output().unwrap();
            let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
            write!(said, "{}", String::from_utf8_lossy(&output.stderr)).unwrap();
            (output.status.success(), said)
        };
        for algorithm in ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-4096"] {
            let (root, intermediate) = pair(algorithm);
            write("root.pem", root.text("certificate").unwrap());
            write("ca.pem", intermediate.text("certificate").unwrap());
            write("key.pem", intermediate.text("private_key").unwrap());
            write("csr.pem", intermediate.text("csr").unwrap());
            assert_eq!(
                openssl(&["verify", "-x509_strict", "-CAfile", "root.pem", "ca.pem"]),
                (true, "ca.pem: OK\n".to_owned()),
                "{algorithm}"
            );
            let (good, said) = openssl(&["req", "-in", "csr.pem", "-verify", "-noout"]);
            assert!(good, "{algorithm}: {said}");
            assert_eq!(
                openssl(&["pkey", "-in", "key.pem", "-pubout"]),
                openssl(&["x509", "-in", "ca.pem", "-pubkey", "-noout"]),
                "{algorithm}"
            );
            let fingerprint = openssl(&["x509", "-in", "ca.pem", "-fingerprint", "-sha256", "-noout"]).1;
            let digits: String = fingerprint.trim().split('=').next_back().unwrap().replace(':', "").to_lowercase();
            assert_eq!(intermediate.text("fingerprint"), Some(digits.as_str()), "{algorithm}");
        }
    }

    #[test]
    fn keys_that_openssl_makes_are_read() {
        if Command::new("openssl").arg("version").output().is_err() {
            assert!(std::env::var("MESHPLAN_REQUIRE_REAL").is_err(), "openssl is required and not there");
            writeln!(std::io::stderr(), "skipped: needs openssl").unwrap();
            return;
        }
        for (arguments, label) in [
            (vec!["ecparam", "-name", "prime256v1", "-genkey"], "BEGIN EC PRIVATE KEY"),
            (vec!["ecparam", "-name", "secp384r1", "-genkey"], "BEGIN EC PRIVATE KEY"),
            (vec!["genrsa", "-traditional", "2048"], "BEGIN RSA PRIVATE KEY"),
            (vec!["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "BEGIN PRIVATE KEY"),
        ] {
            let output = Command::new("openssl").args(&arguments).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(text.contains(label), "{arguments:?}");
            assert!(Key::read(&text).is_ok(), "{arguments:?}: {:?}", Key::read(&text).err());
        }
    }

    #[test]
    fn what_is_read_back_is_what_is_remembered() {
        let attributes = Value::object([("fingerprint", Value::string("f"))]);
        let record =
            engine::state::Record { attributes: attributes.clone(), ..engine::state::Record::new(RecordId::new("r-1"), "ca_root") };
        let read = Question::new(Ask::Read { address: Address::managed("ca_root", "x"), deposed: None, record: Box::new(record) });
        let answers = ready_now(Certificates::default().answer(vec![Asked { question: read.clone(), place: None }]));
        assert_eq!((answers[0].0.key(), &answers[0].1), (read.key(), &Answer::Present(attributes)));
    }
}
