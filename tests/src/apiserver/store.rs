//! What is done in a cluster's store behind the server's back.

use super::ApiServer;
use super::process::STORE;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

/// Under which key API servers tell each other up to where the store's past is gone.
const COMPACTED: &str = "compact_rev_key";

impl ApiServer {
    /// Takes the past away, as API servers have it done every five minutes: of what was before now there is nothing to list or to watch.
    pub fn forget(&self) {
        let read = self.ask_store("range", &json!({ "key": encoded(COMPACTED) }));
        let now = read["header"]["revision"].as_str().unwrap();
        self.store(COMPACTED, now);
        self.ask_store("compaction", &json!({ "revision": now }));
    }

    /// Writes a text into the store under a key, past the server's checks.
    pub(super) fn store(&self, key: &str, text: &str) {
        self.ask_store("put", &json!({ "key": encoded(key), "value": encoded(text) }));
    }

    /// Calls an operation of the store on keys and values.
    fn ask_store(&self, operation: &str, body: &Value) -> Value {
        let mut store = UnixStream::connect(self.directory().join(STORE)).unwrap();
        let body = body.to_string();
        let length = body.len();
        write!(store, "POST /v3/kv/{operation} HTTP/1.0\r\nHost: store\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        store.read_to_string(&mut answer).unwrap();
        assert!(answer.split_whitespace().nth(1) == Some("200"), "{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }
}

/// A key or a value as the store takes it.
fn encoded(text: &str) -> String {
    base64::Engine::encode(&base64::prelude::BASE64_STANDARD, text)
}
