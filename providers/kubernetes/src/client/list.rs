//! All objects of a kind, page by page.

use super::Cluster;
use super::call::encode;
use super::error::CallError;
use super::send::Call;
use crate::object_kind::Json;

/// Objects per page.
const PAGE: usize = 500;

impl Cluster {
    /// All objects of a kind in a namespace, or in all; empty if the server knows no such kind. No version is asked for, so the list is
    /// consistent: what it does not hold is not there.
    pub(crate) async fn list(&self, api_version: &str, kind: &str, namespace: Option<&str>) -> Result<Vec<Json>, CallError> {
        let Some(served) = self.served(api_version, kind).await? else { return Ok(Vec::new()) };
        let path = served.collection(api_version, namespace);
        match self.pages(&path).await {
            // The rest of the list is too old to go on with. Pages would be again where changes are that many; one answer is not.
            Err(error) if error.status == Some(410) => self.whole(&path).await,
            Err(error) if error.status == Some(404) => Ok(Vec::new()),
            found => found,
        }
    }

    async fn pages(&self, path: &str) -> Result<Vec<Json>, CallError> {
        let mut found = Vec::new();
        let mut page = format!("{path}?limit={PAGE}");
        loop {
            let mut list = self.call(Call::get(&page)).await?.body;
            found.append(&mut items(&mut list));
            match list.pointer("/metadata/continue").and_then(Json::as_str).filter(|more| !more.is_empty()) {
                Some(more) => page = format!("{path}?limit={PAGE}&continue={}", encode(more)),
                None => return Ok(found),
            }
        }
    }

    async fn whole(&self, path: &str) -> Result<Vec<Json>, CallError> {
        let mut list = self.call(Call::get(path)).await?.body;
        Ok(items(&mut list))
    }
}

/// The items of a list, which is left without them.
pub(super) fn items(list: &mut Json) -> Vec<Json> {
    match list.get_mut("items").map(Json::take) {
        Some(Json::Array(items)) => items,
        _ => Vec::new(),
    }
}
