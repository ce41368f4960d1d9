//! Objects that are Secrets of a namespace, and a lock that is a Lease.
//!
//! An object's text is compressed and stands in a Secret, which holds at most 1 MiB (`MaxSecretSize` of the API). Labels say which
//! state a Secret belongs to and which part of it it is, so that a list finds them. A Secret that never changes is `immutable`.

use crate::calls::Calls;
use crate::lease;
use ::kubernetes::{Answered, Cluster, Clusters, Json, Plain};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use engine::value::Value;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures::future::try_join_all;
use serde_json::json;
use state::{Claim, Object, Objects, Refusal, Version};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// The object whose name is that of the state.
const HEAD: &str = "head";
/// The key of the text within a Secret.
const TEXT: &str = "text";
/// Bytes of an object before they are compressed: what cannot be compressed becomes hardly longer.
const LARGEST: usize = 1_000_000;

/// The objects of one state.
pub struct ClusterObjects {
    calls: Calls,
    place: Arc<Place>,
}

/// Where they are.
struct Place {
    clusters: Clusters,
    connection: Value,
    /// How messages call the cluster.
    cluster: String,
    namespace: String,
    name: String,
}

impl fmt::Debug for ClusterObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClusterObjects").field(&self.name(HEAD)).finish()
    }
}

impl ClusterObjects {
    /// The objects whose names begin with a name, in a namespace of the cluster that a connection leads to; `cluster` is what
    /// messages call it. Nothing is connected yet.
    pub fn new(clusters: Clusters, connection: Value, (cluster, namespace, name): (&str, &str, &str)) -> std::io::Result<Self> {
        let (cluster, namespace, name) = (cluster.to_owned(), namespace.to_owned(), name.to_owned());
        Ok(Self { calls: Calls::new()?, place: Arc::new(Place { clusters, connection, cluster, namespace, name }) })
    }

    /// Carries a request out that is made of the cluster and the place.
    fn ask<T, F>(&self, request: impl FnOnce(Arc<Cluster>, Arc<Place>) -> F + Send + 'static) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refusal>> + Send,
    {
        let place = self.place.clone();
        self.calls.wait(async move {
            let cluster = place.clusters.cluster(&place.connection).await.map_err(Refusal::Failed)?;
            request(cluster, place).await
        })
    }

    fn write(&self, object: &str, text: &[u8], version: Option<&Version>) -> Result<Version, Refusal> {
        let secret = self.place.secret(object, text, version)?;
        let (object, replaces) = (object.to_owned(), version.is_some());
        self.ask(move |cluster, place| async move {
            let answered = if replaces {
                cluster.plain(Plain::Replace(&place.path("secrets", &object), &secret)).await
            } else {
                cluster.plain(Plain::Create(&place.collection("secrets"), &secret)).await
            };
            written(answered)
        })
    }
}

/// The version that a write left.
fn written(answered: Result<Answered, String>) -> Result<Version, Refusal> {
    match answered.map_err(Refusal::Failed)? {
        Answered::Done(object) => Ok(version_of(&object)),
        Answered::NotThere | Answered::Conflict => Err(Refusal::Conflict),
    }
}

fn version_of(object: &Json) -> Version {
    Version(text_at(object, "/metadata/resourceVersion").to_owned())
}

fn text_at<'a>(object: &'a Json, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
}

impl Place {
    /// The name of the Secret or Lease.
    fn named(&self, object: &str) -> String {
        if object == HEAD { self.name.clone() } else { format!("{}-{object}", self.name) }
    }

    /// The object that a Secret of ours is.
    fn object(&self, secret: &Json) -> Option<String> {
        let name = text_at(secret, "/metadata/name");
        name.strip_prefix(&self.name)?.strip_prefix('-').map(str::to_owned)
    }

    fn collection(&self, resource: &str) -> String {
        let group = if resource == "leases" { "apis/coordination.k8s.io/v1" } else { "api/v1" };
        format!("/{group}/namespaces/{}/{resource}", self.namespace)
    }

    fn path(&self, resource: &str, object: &str) -> String {
        format!("{}/{}", self.collection(resource), self.named(object))
    }

    /// The list of all objects of a part: its name, or a prefix of names.
    fn list(&self, part: &str) -> String {
        let part = part.trim_end_matches('-');
        format!("{}?labelSelector=meshplan%2Fstate%3D{},meshplan%2Fpart%3D{part}", self.collection("secrets"), self.name)
    }

    fn metadata(&self, object: &str, version: Option<&Version>) -> Json {
        let part = object.split('-').next().unwrap_or(object);
        let labels = json!({ "app.kubernetes.io/managed-by": "meshplan", "meshplan/state": self.name, "meshplan/part": part });
        let mut metadata = json!({ "name": self.named(object), "namespace": self.namespace, "labels": labels });
        if let Some(Version(version)) = version {
            metadata["resourceVersion"] = version.as_str().into();
        }
        metadata
    }

    fn secret(&self, object: &str, text: &[u8], version: Option<&Version>) -> Result<Json, Refusal> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        let failed = |error: std::io::Error| Refusal::Failed(format!("cannot compress: {error}"));
        packed.write_all(text).map_err(failed)?;
        let packed = STANDARD.encode(packed.finish().map_err(failed)?);
        let (metadata, immutable) = (self.metadata(object, version), object != HEAD);
        Ok(
            json!({ "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata, "immutable": immutable, "data": { TEXT: packed } }),
        )
    }
}

/// The text in a Secret.
fn unpack(secret: &Json) -> Result<Vec<u8>, Refusal> {
    let name = text_at(secret, "/metadata/name");
    let failed = |why: String| Refusal::Failed(format!("Secret `{name}` does not hold what meshplan wrote: {why}"));
    let packed = STANDARD.decode(text_at(secret, &format!("/data/{TEXT}"))).map_err(|error| failed(error.to_string()))?;
    let mut text = Vec::new();
    GzDecoder::new(packed.as_slice()).read_to_end(&mut text).map_err(|error| failed(error.to_string()))?;
    Ok(text)
}

/// The items of a list.
fn items(answered: Answered) -> Vec<Json> {
    match answered {
        Answered::Done(mut list) => match list.get_mut("items").map(Json::take) {
            Some(Json::Array(items)) => items,
            _ => Vec::new(),
        },
        Answered::NotThere | Answered::Conflict => Vec::new(),
    }
}

impl Objects for ClusterObjects {
    fn name(&self, object: &str) -> PathBuf {
        let Place { cluster, namespace, .. } = &*self.place;
        PathBuf::from(format!("kubernetes://{cluster}/{namespace}/{}", self.place.named(object)))
    }

    fn largest(&self) -> usize {
        LARGEST
    }

    fn get(&self, object: &str) -> Result<Option<Object>, Refusal> {
        let object = object.to_owned();
        self.ask(move |cluster, place| async move {
            match cluster.plain(Plain::Get(&place.path("secrets", &object))).await.map_err(Refusal::Failed)? {
                Answered::Done(secret) => Ok(Some(Object { text: unpack(&secret)?, version: version_of(&secret) })),
                Answered::NotThere | Answered::Conflict => Ok(None),
            }
        })
    }

    fn names(&self, prefix: &str) -> Result<Vec<String>, Refusal> {
        let prefix = prefix.to_owned();
        self.ask(move |cluster, place| async move {
            let list = cluster.plain(Plain::Metadata(&place.list(&prefix))).await.map_err(Refusal::Failed)?;
            Ok(items(list).iter().filter_map(|secret| place.object(secret)).collect())
        })
    }

    fn all(&self, prefix: &str) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
        let prefix = prefix.to_owned();
        self.ask(move |cluster, place| async move {
            let list = cluster.plain(Plain::Get(&place.list(&prefix))).await.map_err(Refusal::Failed)?;
            items(list)
                .iter()
                .filter_map(|secret| Some((place.object(secret)?, secret)))
                .map(|(name, secret)| Ok((name, unpack(secret)?)))
                .collect()
        })
    }

    fn create(&self, object: &str, text: &[u8]) -> Result<Version, Refusal> {
        self.write(object, text, None)
    }

    fn replace(&self, object: &str, text: &[u8], version: &Version) -> Result<Version, Refusal> {
        self.write(object, text, Some(version))
    }

    fn delete(&self, objects: &[String]) -> Result<(), Refusal> {
        let objects = objects.to_vec();
        self.ask(move |cluster, place| async move {
            let paths: Vec<_> = objects.iter().map(|object| place.path("secrets", object)).collect();
            try_join_all(paths.iter().map(|path| cluster.plain(Plain::Delete(path)))).await.map_err(Refusal::Failed)?;
            Ok(())
        })
    }

    fn claim(&self) -> Result<Option<(Claim, Version)>, Refusal> {
        self.ask(move |cluster, place| async move {
            match cluster.plain(Plain::Get(&place.path("leases", HEAD))).await.map_err(Refusal::Failed)? {
                Answered::Done(object) => Ok(Some((lease::read(&object), version_of(&object)))),
                Answered::NotThere | Answered::Conflict => Ok(None),
            }
        })
    }

    fn write_claim(&self, claim: &Claim, version: Option<&Version>) -> Result<Version, Refusal> {
        let object = lease::write(claim, self.place.metadata(HEAD, version));
        let replaces = version.is_some();
        self.ask(move |cluster, place| async move {
            let answered = if replaces {
                cluster.plain(Plain::Replace(&place.path("leases", HEAD), &object)).await
            } else {
                cluster.plain(Plain::Create(&place.collection("leases"), &object)).await
            };
            written(answered)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        let (cluster, namespace, name) = ("c".to_owned(), "n".to_owned(), "prod".to_owned());
        Place { clusters: Clusters::new(Vec::new()), connection: Value::null(), cluster, namespace, name }
    }

    #[test]
    fn a_secret_holds_the_text_and_says_what_it_is_part_of() {
        let place = place();
        for (object, part, name, found) in [
            (HEAD, "head", "prod", None),
            ("journal-000000000012", "journal", "prod-journal-000000000012", Some("journal-000000000012")),
            ("state-7-1-0", "state", "prod-state-7-1-0", Some("state-7-1-0")),
        ] {
            let version = Version("42".to_owned());
            let secret = place.secret(object, b"text", Some(&version)).unwrap();
            assert_eq!(unpack(&secret).unwrap(), b"text");
            assert_eq!((text_at(&secret, "/metadata/labels/meshplan~1part"), text_at(&secret, "/metadata/name")), (part, name));
            assert_eq!((place.object(&secret).as_deref(), version_of(&secret)), (found, version));
            assert_eq!(secret["immutable"], object != HEAD);
        }
        let mut damaged = place.secret(HEAD, b"text", None).unwrap();
        damaged["data"][TEXT] = "AAAA".into();
        assert!(
            matches!(unpack(&damaged), Err(Refusal::Failed(why)) if why.starts_with("Secret `prod` does not hold what meshplan wrote"))
        );
    }

    #[test]
    fn what_cannot_be_compressed_fits_into_a_secret() {
        let mut seed = 1_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed.to_be_bytes()[0]
        };
        let text: Vec<u8> = (0..LARGEST).map(|_| next()).collect();
        let secret = place().secret("state-1-1-0", &text, None).unwrap();
        assert!(STANDARD.decode(text_at(&secret, "/data/text")).unwrap().len() <= 1 << 20);
    }

    #[test]
    fn paths_and_names_are_those_of_the_api() {
        let place = place();
        assert_eq!(place.path("leases", HEAD), "/apis/coordination.k8s.io/v1/namespaces/n/leases/prod");
        assert_eq!(place.path("secrets", "state-1-1-0"), "/api/v1/namespaces/n/secrets/prod-state-1-1-0");
        let list = "/api/v1/namespaces/n/secrets?labelSelector=meshplan%2Fstate%3Dprod,meshplan%2Fpart%3Djournal";
        assert_eq!(place.list("journal-"), list);
        let objects = ClusterObjects { calls: Calls::new().unwrap(), place: Arc::new(place) };
        assert_eq!(objects.name("lock").display().to_string(), "kubernetes://c/n/prod-lock");
        let error = objects.get(HEAD).err().unwrap();
        assert!(matches!(&error, Refusal::Failed(why) if why.starts_with("nothing here knows connections")), "{error:?}");
    }
}
