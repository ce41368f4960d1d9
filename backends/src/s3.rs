//! Objects of a bucket that speaks S3's API, with conditional writes: `If-None-Match: *` makes what is not there, `If-Match` replaces a
//! version.

use crate::calls::Calls;
use futures::StreamExt;
use futures::future::try_join_all;
use futures::stream;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, RetryConfig, UpdateVersion};
use state::{Object, Objects, Refusal, Version};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of an object: what one request carries without being long under way.
const LARGEST: usize = 64 << 20;
/// How long a request is tried again, which the protocol takes for one.
const PATIENCE: Duration = Duration::from_secs(20);

/// The objects of one state.
pub struct BucketObjects {
    calls: Calls,
    store: Arc<AmazonS3>,
    bucket: String,
    key: String,
}

impl fmt::Debug for BucketObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BucketObjects").field(&self.name("head")).finish()
    }
}

impl BucketObjects {
    /// The objects below a key of a bucket, which the builder knows how to reach. Nothing is connected yet.
    pub fn new(builder: AmazonS3Builder, bucket: &str, key: &str) -> Result<Self, String> {
        let retry = RetryConfig { retry_timeout: PATIENCE, ..RetryConfig::default() };
        let store = builder.with_bucket_name(bucket).with_retry(retry).build().map_err(|error| one_line(&error))?;
        let calls = Calls::new().map_err(|error| error.to_string())?;
        Ok(Self { calls, store: Arc::new(store), bucket: bucket.to_owned(), key: key.trim_matches('/').to_owned() })
    }

    /// Where an object is: lists go by whole steps of a path, so that the parts of a state are below one of their own.
    fn path(&self, object: &str) -> Path {
        Path::from(format!("{}/{}", self.key, object.replacen('-', "/", 1)))
    }

    /// The object that is at a path.
    fn object(&self, path: &Path) -> Option<String> {
        Some(path.as_ref().strip_prefix(&self.key)?.strip_prefix('/')?.replacen('/', "-", 1))
    }

    fn put(&self, object: &str, text: &[u8], mode: PutMode) -> Result<Version, Refusal> {
        let (store, path, text) = (self.store.clone(), self.path(object), text.to_vec());
        let creates = mode == PutMode::Create;
        self.calls.wait(async move {
            match store.put_opts(&path, text.into(), PutOptions::from(mode)).await {
                Ok(put) => Ok(Version(put.e_tag.unwrap_or_default())),
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Err(Refusal::Conflict),
                // What is made and not found is the bucket.
                Err(Error::NotFound { .. }) if !creates => Err(Refusal::Conflict),
                Err(error) => Err(failed(&error)),
            }
        })
    }
}

fn failed(error: &Error) -> Refusal {
    Refusal::Failed(one_line(error))
}

/// An error with what caused it, once each and without the markup of a server's answer.
fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn read(store: &AmazonS3, path: &Path) -> Result<Option<Object>, Refusal> {
    let found = match store.get(path).await {
        Ok(found) => found,
        Err(Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    let version = Version(found.meta.e_tag.clone().unwrap_or_default());
    let text = found.bytes().await.map_err(|error| failed(&error))?.to_vec();
    Ok(Some(Object { text, version }))
}

async fn list(store: &AmazonS3, below: Path) -> Result<Vec<Path>, Refusal> {
    let mut found = Vec::new();
    let mut listed = store.list(Some(&below));
    while let Some(meta) = listed.next().await {
        found.push(meta.map_err(|error| failed(&error))?.location);
    }
    Ok(found)
}

impl Objects for BucketObjects {
    fn name(&self, object: &str) -> PathBuf {
        PathBuf::from(format!("s3://{}/{}", self.bucket, self.path(object)))
    }

    fn largest(&self) -> usize {
        LARGEST
    }

    fn get(&self, object: &str) -> Result<Option<Object>, Refusal> {
        let (store, path) = (self.store.clone(), self.path(object));
        self.calls.wait(async move { read(&store, &path).await })
    }

    fn names(&self, prefix: &str) -> Result<Vec<String>, Refusal> {
        let (store, below) = (self.store.clone(), self.path(prefix.trim_end_matches('-')));
        let paths = self.calls.wait(async move { list(&store, below).await })?;
        Ok(paths.iter().filter_map(|path| self.object(path)).collect())
    }

    fn all(&self, prefix: &str) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
        let (store, below) = (self.store.clone(), self.path(prefix.trim_end_matches('-')));
        let found = self.calls.wait(async move {
            let paths = list(&store, below).await?;
            // One that went since the list counts no more.
            try_join_all(paths.into_iter().map(|path| async {
                let object = read(&store, &path).await?;
                Ok((path, object))
            }))
            .await
        })?;
        Ok(found.into_iter().filter_map(|(path, object)| Some((self.object(&path)?, object?.text))).collect())
    }

    fn create(&self, object: &str, text: &[u8]) -> Result<Version, Refusal> {
        self.put(object, text, PutMode::Create)
    }

    fn replace(&self, object: &str, text: &[u8], version: &Version) -> Result<Version, Refusal> {
        self.put(object, text, PutMode::Update(UpdateVersion { e_tag: Some(version.0.clone()), version: None }))
    }

    fn delete(&self, objects: &[String]) -> Result<(), Refusal> {
        let paths: Vec<_> = objects.iter().map(|object| Ok(self.path(object))).collect();
        let store = self.store.clone();
        self.calls.wait(async move {
            let mut deleted = store.delete_stream(stream::iter(paths).boxed());
            while let Some(result) = deleted.next().await {
                match result {
                    Ok(_) | Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(failed(&error)),
                }
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(key: &str) -> BucketObjects {
        let builder = AmazonS3Builder::new().with_region("eu-west-1").with_access_key_id("a").with_secret_access_key("b");
        BucketObjects::new(builder, "mesh", key).unwrap()
    }

    #[test]
    fn objects_lie_below_the_key_by_what_they_are_part_of() {
        for key in ["prod", "/teams/a/"] {
            let objects = objects(key);
            for (object, path) in [("head", "head"), ("journal-000000000012", "journal/000000000012"), ("state-7-1-0", "state/7-1-0")] {
                let expected = format!("{}/{path}", key.trim_matches('/'));
                assert_eq!(objects.path(object).as_ref(), expected);
                assert_eq!(objects.object(&objects.path(object)).as_deref(), Some(object));
                assert_eq!(objects.name(object).display().to_string(), format!("s3://mesh/{expected}"));
            }
        }
    }
}
