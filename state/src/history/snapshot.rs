//! A configuration as it was planned: every text of its modules, its variables, and what it read of files.

use crate::format::snapshot_v1::{FileV1, ListingV1, ModuleV1, SnapshotV1, TextV1, VariableV1};
use crate::format::words_v1::Words;
use crate::sealing::{KeyError, SealError, SealingKey};
use engine::source::{FileId, ModuleKey, ModuleSource, SourceFile, SourceTree};
use engine::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// What the key of a state is used for here.
const LABEL: &str = "history";

/// A configuration as it was planned.
#[derive(Clone, PartialEq)]
pub struct Snapshot {
    /// The text of every module.
    pub sources: SourceTree,
    /// Values of the root module's variables, where some were given.
    pub variables: BTreeMap<Arc<str>, Value>,
    /// The variables whose values are kept sealed.
    pub sensitive: BTreeSet<Arc<str>>,
    /// What was read of files.
    pub files: FilesRead,
}

/// Where it comes from and nothing of its values: they may be secret.
impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.variables.keys().collect();
        f.debug_struct("Snapshot").field("root", &self.sources.root).field("variables", &names).finish_non_exhaustive()
    }
}

/// What functions such as `file` found. Nothing stands for what was not there.
#[derive(Clone, Default, PartialEq)]
pub struct FilesRead {
    /// The text of each file, by its path.
    pub texts: BTreeMap<String, Option<Arc<str>>>,
    /// The paths below each directory, by it and within how many directories.
    pub listings: BTreeMap<(String, Option<usize>), Option<Vec<String>>>,
}

/// Which files and nothing of what is in them.
impl fmt::Debug for FilesRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilesRead").field("texts", &self.texts.keys()).field("listings", &self.listings.keys()).finish()
    }
}

/// Why a snapshot was not sealed or not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotError {
    /// The state has no key that fits.
    Key(KeyError),
    /// A variable or file, and why.
    Seal(String, SealError),
    /// A variable or file that is not as it was written, and why.
    Value(String, String),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(error) => write!(f, "the key of the state: {error}"),
            Self::Seal(what, error) => write!(f, "{what}: {error}"),
            Self::Value(what, error) => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for SnapshotError {}

fn key_of(secret_key: &[u8]) -> Result<SealingKey, SnapshotError> {
    SealingKey::from_bytes(secret_key).and_then(|key| key.derived(LABEL)).map_err(SnapshotError::Key)
}

/// The stored form of a snapshot of a state with this key and lineage.
pub(super) fn seal(snapshot: &Snapshot, secret_key: &[u8], lineage: &str) -> Result<SnapshotV1, SnapshotError> {
    let key = key_of(secret_key)?;
    stored(snapshot, &|what, text| {
        key.seal(text.as_bytes(), format!("{lineage} {what}").as_bytes()).map_err(|error| SnapshotError::Seal(what, error))
    })
}

/// The snapshot that was stored of a state with this key and lineage.
pub(super) fn open(stored: SnapshotV1, secret_key: &[u8], lineage: &str) -> Result<Snapshot, SnapshotError> {
    let key = key_of(secret_key)?;
    restored(stored, &|what, text| {
        let plain = key.open(&text, format!("{lineage} {what}").as_bytes()).map_err(|error| SnapshotError::Seal(what.clone(), error))?;
        String::from_utf8(plain.to_vec()).map_err(|_| SnapshotError::Value(what, "it is not UTF-8".to_owned()))
    })
}

/// The stored form of a snapshot; `sealed` closes a text that may be secret, told what it is. What files hold is closed like sensitive
/// variables: meshplan cannot know what is secret in it.
pub(crate) fn stored(
    snapshot: &Snapshot,
    sealed: &dyn Fn(String, &str) -> Result<String, SnapshotError>,
) -> Result<SnapshotV1, SnapshotError> {
    let mut variables = BTreeMap::new();
    for (name, value) in &snapshot.variables {
        let plain = VariableV1::of(value).map_err(|why| SnapshotError::Value(variable(name), why.to_owned()))?;
        let stored = if snapshot.sensitive.contains(name) {
            let text = plain.to_text().map_err(|why| SnapshotError::Value(variable(name), why))?;
            VariableV1::Sealed { sealed: sealed(variable(name), &text)? }
        } else {
            plain
        };
        variables.insert(Words(name.clone()), stored);
    }
    let files = snapshot.files.texts.iter().map(|(path, text)| {
        let sealed = text.as_deref().map(|text| sealed(file(path), text)).transpose()?;
        Ok(FileV1 { path: path.clone(), sealed })
    });
    let listings = snapshot.files.listings.iter().map(|((directory, depth), paths)| ListingV1 {
        directory: directory.clone(),
        depth: *depth,
        paths: paths.clone(),
    });
    Ok(SnapshotV1 {
        root: Words(snapshot.sources.root.0.clone()),
        modules: modules_of(&snapshot.sources),
        variables,
        files: files.collect::<Result<_, SnapshotError>>()?,
        listings: listings.collect(),
    })
}

/// The snapshot of a stored form; `opened` opens what was closed.
pub(crate) fn restored(
    stored: SnapshotV1,
    opened: &dyn Fn(String, String) -> Result<String, SnapshotError>,
) -> Result<Snapshot, SnapshotError> {
    let (mut variables, mut sensitive) = (BTreeMap::new(), BTreeSet::new());
    for (Words(name), stored) in stored.variables {
        let plain = match stored {
            VariableV1::Sealed { sealed } => {
                sensitive.insert(name.clone());
                VariableV1::from_text(&opened(variable(&name), sealed)?).map_err(|why| SnapshotError::Value(variable(&name), why))?
            }
            plain @ VariableV1::Plain { .. } => plain,
        };
        let value = plain.value().map_err(|why| SnapshotError::Value(variable(&name), why))?;
        variables.insert(name, value);
    }
    let texts = stored.files.into_iter().map(|FileV1 { path, sealed }| {
        let text = sealed.map(|sealed| opened(file(&path), sealed)).transpose()?;
        Ok((path, text.map(Arc::from)))
    });
    let listings = stored.listings.into_iter().map(|listing| ((listing.directory, listing.depth), listing.paths));
    let files = FilesRead { texts: texts.collect::<Result<_, SnapshotError>>()?, listings: listings.collect() };
    Ok(Snapshot { sources: tree_of(stored.root, stored.modules), variables, sensitive, files })
}

fn variable(name: &str) -> String {
    format!("variable `{name}`")
}

fn file(path: &str) -> String {
    format!("file `{path}`")
}

/// The files of modules alone: those of variable values stand in a tree for problems to point at, and may hold secrets.
fn modules_of(sources: &SourceTree) -> BTreeMap<Words, ModuleV1> {
    let module = |source: &ModuleSource| {
        let files = source.files.iter().filter_map(|id| sources.file(*id));
        let text = |file: &SourceFile| TextV1 { path: Words(file.path.clone()), text: Words(file.text.clone()) };
        let calls = source.calls.iter().map(|(name, key)| (Words(name.clone()), Words(key.0.clone())));
        ModuleV1 { directory: source.directory.clone(), files: files.map(text).collect(), calls: calls.collect() }
    };
    sources.modules.iter().map(|(key, source)| (Words(key.0.clone()), module(source))).collect()
}

fn tree_of(root: Words, modules: BTreeMap<Words, ModuleV1>) -> SourceTree {
    let mut tree = SourceTree { files: Vec::new(), root: ModuleKey(root.0), modules: BTreeMap::new() };
    for (key, module) in modules {
        let files: Vec<FileId> = module.files.iter().map(|file| tree.add(&file.path.0, &file.text.0)).collect();
        let calls = module.calls.into_iter().map(|(name, key)| (name.0, ModuleKey(key.0))).collect();
        tree.modules.insert(ModuleKey(key.0), ModuleSource { directory: module.directory, files, calls });
    }
    tree
}
