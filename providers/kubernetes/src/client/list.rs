//! All objects of a kind, page by page.

use super::Cluster;
use super::call::encode;
use super::error::CallError;
use super::send::Call;
use crate::object_kind::Json;

/// Objects per page.
const PAGE: u64 = 500;

/// Which objects of a collection are meant, as an API server takes it; all where both are empty.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Selection<'a> {
    /// Conditions on labels.
    pub(crate) labels: &'a str,
    /// Conditions on fields.
    pub(crate) fields: &'a str,
}

impl Cluster {
    /// The objects of a collection that are meant; empty if there is no such collection.
    pub(crate) async fn selected(&self, path: &str, selection: Selection<'_>) -> Result<Vec<Json>, CallError> {
        let conditions = [("labelSelector", selection.labels), ("fieldSelector", selection.fields)];
        let stated = conditions.into_iter().filter(|(_, text)| !text.is_empty());
        let query: Vec<_> = stated.map(|(name, text)| format!("{name}={}", encode(text))).collect();
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) };
        self.list(&path, usize::MAX).await.map(Option::unwrap_or_default)
    }

    /// The objects of a collection, by its path, with these labels, or why they cannot be told, as a fragment; empty if there is no such
    /// collection.
    pub async fn listed(&self, path: &str, labels: &str) -> Result<Vec<Json>, String> {
        self.selected(path, Selection { labels, fields: "" }).await.map_err(|error| error.to_string())
    }

    /// All objects of a collection, or nothing if that took more requests than it is worth; empty if there is no such collection. No version
    /// is asked for, so the list is consistent: what it does not hold is not there.
    pub(crate) async fn list(&self, path: &str, worth: usize) -> Result<Option<Vec<Json>>, CallError> {
        match self.pages(path, worth).await {
            // The rest of the list is too old to go on with. Pages would be again where changes are that many; one answer is not.
            Err(error) if error.status == Some(410) => self.whole(path).await.map(Some),
            Err(error) if error.status == Some(404) => Ok(Some(Vec::new())),
            found => found,
        }
    }

    async fn pages(&self, path: &str, worth: usize) -> Result<Option<Vec<Json>>, CallError> {
        let mut found = Vec::new();
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut page = format!("{path}{joint}limit={PAGE}");
        loop {
            let mut list = self.call(Call::get(&page)).await?.body;
            let left = list.pointer("/metadata/remainingItemCount").and_then(Json::as_u64).unwrap_or(0);
            if found.is_empty() && left.div_ceil(PAGE) > worth as u64 {
                return Ok(None);
            }
            found.append(&mut items(&mut list));
            match list.pointer("/metadata/continue").and_then(Json::as_str).filter(|more| !more.is_empty()) {
                Some(more) => page = format!("{path}{joint}limit={PAGE}&continue={}", encode(more)),
                None => return Ok(Some(found)),
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
