//! Text and places in it: files, spans, and the tree of modules that a directory leads to.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A file of a [`SourceTree`], by its index there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A stretch of bytes in one file: `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// A span over `start..end` of a file.
    pub fn new(file: FileId, range: std::ops::Range<usize>) -> Self {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { file, start: clamp(range.start), end: clamp(range.end) }
    }

    /// From the start of this span to the end of the other, which lies in the same file.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { end: other.end.max(self.end), ..self }
    }
}

/// One file of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// As a user would name it: relative to the working directory, or `builtin:multi-primary/main.mesh.hcl`.
    pub path: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
}

/// What names a module's text: the root's is `.`, a directory's its path, a built-in's `builtin:name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleKey(pub Arc<str>);

/// The text of one module: the files of one directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModuleSource {
    /// The directory that `path.module` names and relative files are read from; empty for a built-in module.
    pub directory: String,
    /// `*.mesh.hcl`, in order of their names.
    pub files: Vec<FileId>,
    /// Where each `module` block's `source` leads, by the name of the call. A call that leads nowhere is missing here and
    /// has a diagnostic of its own.
    pub calls: BTreeMap<Arc<str>, ModuleKey>,
}

/// All the text one run reads: every file once, and the modules they make up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTree {
    /// Every file, by [`FileId`]. Files of variable values (`*.vars.hcl`) stand here too, so that errors can show them.
    pub files: Vec<SourceFile>,
    /// The module that was asked for.
    pub root: ModuleKey,
    /// Every module reached from the root.
    pub modules: BTreeMap<ModuleKey, ModuleSource>,
}

impl SourceTree {
    /// A tree with an empty root module.
    pub fn new(directory: &str) -> Self {
        let root = ModuleKey(".".into());
        let module = ModuleSource { directory: directory.to_owned(), ..ModuleSource::default() };
        Self { files: Vec::new(), root: root.clone(), modules: BTreeMap::from([(root, module)]) }
    }

    /// Adds a file that belongs to no module yet.
    pub fn add(&mut self, path: &str, text: &str) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile { path: path.into(), text: text.into() });
        id
    }

    /// The file behind an id, if it is one of this tree's.
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// Line and column (both from one, the column in characters) of a span's start.
    pub fn position(&self, span: Span) -> Option<(usize, usize)> {
        let before = self.file(span.file)?.text.get(..span.start as usize)?;
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
        Some((line, column))
    }
}
