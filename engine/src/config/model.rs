//! Blocks as the planner reads them.

use super::Subject;
use super::expression::{Expr, Root};
use crate::address::{Mode, shared_order};
use crate::schema::ProviderName;
use crate::source::{ModuleKey, Span};
use crate::value::{Type, Value};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Every module reached from the root, lowered.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The root module.
    pub root: ModuleKey,
    /// By key.
    pub modules: BTreeMap<ModuleKey, Arc<Module>>,
}

/// The blocks of one module.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Module {
    /// The directory that `path.module` names; empty for a built-in module.
    pub directory: String,
    /// `meshplan {}`.
    pub settings: Settings,
    /// `provider` blocks by name and alias. Only the root module may have them.
    pub providers: BTreeMap<ProviderName, ProviderBlock>,
    /// `variable` blocks by name.
    pub variables: BTreeMap<Arc<str>, Variable>,
    /// Every local by name.
    pub locals: BTreeMap<Arc<str>, Local>,
    /// `output` blocks by name.
    pub outputs: BTreeMap<Arc<str>, Output>,
    /// `resource` and `data` blocks.
    pub resources: BTreeMap<ResourceName, Arc<ResourceBlock>>,
    /// `module` blocks by name.
    pub calls: BTreeMap<Arc<str>, CallBlock>,
    /// `check` blocks by name.
    pub checks: BTreeMap<Arc<str>, CheckBlock>,
    /// `moved` blocks.
    pub moved: Vec<Moved>,
    /// `removed` blocks.
    pub removed: Vec<Removed>,
    /// `import` blocks. Only the root module may have them.
    pub imports: Vec<ImportBlock>,
}

/// A `moved` block: what was known under one address is known under another.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// The address it had.
    pub from: Subject,
    /// The address it has now.
    pub to: Subject,
    /// Where the block's header stands.
    pub span: Span,
}

/// A `removed` block: what is not in the configuration any more.
#[derive(Debug, Clone, PartialEq)]
pub struct Removed {
    /// The address it had.
    pub from: Subject,
    /// Whether it is deleted, or only forgotten.
    pub destroy: bool,
    /// Where the block's header stands.
    pub span: Span,
}

/// An `import` block: what exists already is managed from now on.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportBlock {
    /// The module calls that lead to the resource, each with the key of the instance that is meant.
    pub module: Vec<(Arc<str>, Option<Expr>)>,
    /// The resource.
    pub name: ResourceName,
    /// The key of the instance that is meant.
    pub key: Option<Expr>,
    /// What names the thing to its kind.
    pub id: Expr,
    /// The place that it lies in, if the block says so: needed where the resource has no block yet that does.
    pub place: Option<Expr>,
    /// Once, or `for_each`.
    pub repetition: Repetition,
    /// Where the block's header stands.
    pub span: Span,
}

/// The resource's address without keys.
impl fmt::Display for ImportBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (call, _) in &self.module {
            write!(f, "module.{call}.")?;
        }
        write!(f, "{}.{}", self.name.kind, self.name.name)
    }
}

impl ImportBlock {
    /// Every expression that is evaluated for each instance of the block.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let keys = self.module.iter().filter_map(|(_, key)| key.as_ref());
        keys.chain(&self.key).chain([&self.id]).chain(&self.place)
    }
}

impl Module {
    /// How many blocks and locals it has, its settings not counted.
    pub fn count(&self) -> usize {
        let values = self.variables.len() + self.locals.len() + self.outputs.len();
        values + self.resources.len() + self.calls.len() + self.checks.len() + self.imports.len()
    }
}

/// `meshplan { … }`: what all such blocks of a module say together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// Each `required_version`, as written, and where.
    pub required_version: Vec<(Arc<str>, Span)>,
    /// `history`: how many revisions are kept, and where that is said. That of the root module counts.
    pub history: Option<(usize, Span)>,
    /// `backend`: where the state is kept. Only that of the root module counts.
    pub backend: Option<Backend>,
    /// `encryption`.
    pub encryption: Option<Encryption>,
    /// `ignore` blocks of `lint`. Only the root module may have them.
    pub exceptions: Vec<LintException>,
}

/// `ignore "rule" { … }` in `lint`: findings that are not reported.
#[derive(Debug, Clone, PartialEq)]
pub struct LintException {
    /// The id of the rule.
    pub rule: Arc<str>,
    /// Why, for people.
    pub reason: Arc<str>,
    /// `at`: what it is not held against; everything without it.
    pub at: Vec<Subject>,
    /// Where the rule's id stands.
    pub span: Span,
}

/// `backend "kind" { … }`: constants alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// The kind, such as `s3`.
    pub kind: Arc<str>,
    /// Its arguments by name.
    pub arguments: BTreeMap<Arc<str>, BackendArgument>,
    /// Where the block's header stands.
    pub span: Span,
}

/// An argument of a `backend` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendArgument {
    /// The constant, as text.
    pub text: Arc<str>,
    /// Where its name stands.
    pub span: Span,
}

/// `encryption { … }`: what is secret is sealed in the files that meshplan writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Encryption {
    /// The key to seal with.
    pub key: KeyFrom,
    /// Keys that were sealed with before.
    pub fallbacks: Vec<KeyFrom>,
    /// Where the block's header stands.
    pub span: Span,
}

/// Where a key comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyFrom {
    /// A file or an environment variable.
    pub place: KeyPlace,
    /// Where its name stands.
    pub span: Span,
}

/// What holds a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// `key_file`: a file with this path, as written.
    File(Arc<str>),
    /// `passphrase_env`: the environment variable with this name.
    Passphrase(Arc<str>),
}

/// What names a resource block within its module.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceName {
    /// Managed or data.
    pub mode: Mode,
    /// The kind.
    pub kind: Arc<str>,
    /// The name.
    pub name: Arc<str>,
}

impl PartialOrd for ResourceName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By mode, kind and name.
impl Ord for ResourceName {
    fn cmp(&self, other: &Self) -> Ordering {
        let kinds = || shared_order(&self.kind, &other.kind);
        self.mode.cmp(&other.mode).then_with(kinds).then_with(|| shared_order(&self.name, &other.name))
    }
}

/// A `provider` block.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderBlock {
    /// What it sets.
    pub arguments: Vec<Argument>,
    /// Where the provider's name stands.
    pub provider_span: Span,
    /// Where the block's header stands.
    pub span: Span,
}

/// A configuration of a provider that is referred to.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderReference {
    /// Its name.
    pub name: ProviderName,
    /// Where it is referred to.
    pub span: Span,
}

/// A `variable` block.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// The type constraint; [`Type::Any`] without one.
    pub ty: Type,
    /// The default, if it has one.
    pub default: Option<Value>,
    /// For people.
    pub description: Option<Arc<str>>,
    /// Whether its value is never shown.
    pub sensitive: bool,
    /// Whether its value is never stored.
    pub ephemeral: bool,
    /// Whether null is a value of it (true without the argument).
    pub nullable: bool,
    /// `validation` blocks. Conditions may refer to the variable and to other objects in the module.
    pub validations: Vec<Assertion>,
    /// Where the block's header stands.
    pub span: Span,
}

/// `condition` and `error_message`, wherever they stand together.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    /// Must be true.
    pub condition: Expr,
    /// What is said if it is not.
    pub error_message: Expr,
    /// Where the block stands.
    pub span: Span,
}

impl Assertion {
    /// All that is evaluated for it.
    pub fn expressions(&self) -> [&Expr; 2] {
        [&self.condition, &self.error_message]
    }
}

/// One entry of a `locals` block.
#[derive(Debug, Clone, PartialEq)]
pub struct Local {
    /// Its value.
    pub value: Expr,
    /// Where the name stands.
    pub span: Span,
}

/// An `output` block.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its value.
    pub value: Expr,
    /// For people.
    pub description: Option<Arc<str>>,
    /// Whether it is shown only when asked for by name.
    pub sensitive: bool,
    /// Whether its value is never stored. Not of the root module's, which are.
    pub ephemeral: bool,
    /// What it waits for beside its value.
    pub depends_on: Vec<Dependency>,
    /// `precondition` blocks.
    pub preconditions: Vec<Assertion>,
    /// Where the block's header stands.
    pub span: Span,
}

/// How often a block stands for an instance.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Repetition {
    /// Once, without a key.
    #[default]
    Once,
    /// `count = …`
    Count(Box<Expr>),
    /// `for_each = …`
    ForEach(Box<Expr>),
}

/// An entry of `depends_on`: a whole block, or one instance of it (`kubernetes_namespace.x[each.key]`).
#[derive(Debug, Clone, PartialEq)]
pub struct Dependency {
    /// What it leads to: a resource, data source, module or check.
    pub root: DependencyRoot,
    /// The instance, if one is meant.
    pub key: Option<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// What a `depends_on` entry may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependencyRoot {
    /// A resource, data source or module call, as in an expression.
    Object(Root),
    /// `check.name`: a gate.
    Check(Arc<str>),
}

/// One `name = value` of a resource body.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// The name.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_span: Span,
    /// The value.
    pub value: Expr,
}

/// The arguments of a block, without its meta-arguments.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Body {
    /// `name = value`, in order.
    pub arguments: Vec<Argument>,
    /// Nested blocks that are no meta-block, in order.
    pub blocks: Vec<NestedBlock>,
}

/// `name "label" { … }`, or a `dynamic` block, which makes such blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct NestedBlock {
    /// The name: of an attribute whose value blocks may give.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_span: Span,
    /// The labels.
    pub labels: Vec<Expr>,
    /// What makes one for each of its elements, if it is `dynamic`.
    pub repeated: Option<Repeated>,
    /// What it holds.
    pub body: Body,
    /// Where its header stands.
    pub span: Span,
}

/// What a `dynamic` block repeats its content for.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeated {
    /// The collection.
    pub for_each: Expr,
    /// The name by which labels and content know an element: an object of `key` and `value`.
    pub iterator: Arc<str>,
}

/// `lifecycle { … }`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lifecycle {
    /// The replacement is created before the old thing is deleted.
    pub create_before_destroy: bool,
    /// A plan that deletes it is refused.
    pub prevent_destroy: bool,
    /// Paths whose changes are not followed, step by step: names, keys and indexes; the one step `all` for all.
    pub ignore_changes: Vec<(Vec<Arc<str>>, Span)>,
    /// What replaces it by changing.
    pub replace_triggered_by: Vec<Expr>,
    /// Checked before it is planned and applied.
    pub preconditions: Vec<Assertion>,
    /// Checked after; may refer to `self`.
    pub postconditions: Vec<Assertion>,
}

/// A `resource` or `data` block.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceBlock {
    /// Mode, kind and name.
    pub name: ResourceName,
    /// How many instances.
    pub repetition: Repetition,
    /// The configuration of its provider that it uses, if it says so.
    pub provider: Option<Box<ProviderReference>>,
    /// What it waits for beside its values.
    pub depends_on: Vec<Dependency>,
    /// Its lifecycle, if it says something of it; see [`Self::lifecycle`].
    pub lifecycle: Option<Box<Lifecycle>>,
    /// `timeouts { create = "10m" }`: by operation.
    pub timeouts: BTreeMap<Arc<str>, Expr>,
    /// Its arguments.
    pub body: Body,
    /// Where the block's header stands.
    pub span: Span,
    /// Where the kind stands in it.
    pub kind_span: Span,
}

impl ResourceBlock {
    /// Its lifecycle. Most blocks say nothing of it, and a plan keeps every block.
    pub fn lifecycle(&self) -> &Lifecycle {
        static USUAL: Lifecycle = Lifecycle {
            create_before_destroy: false,
            prevent_destroy: false,
            ignore_changes: Vec::new(),
            replace_triggered_by: Vec::new(),
            preconditions: Vec::new(),
            postconditions: Vec::new(),
        };
        self.lifecycle.as_deref().unwrap_or(&USUAL)
    }
}

/// A `module` block.
#[derive(Debug, Clone, PartialEq)]
pub struct CallBlock {
    /// The module it leads to.
    pub module: ModuleKey,
    /// How many instances.
    pub repetition: Repetition,
    /// What everything in it waits for.
    pub depends_on: Vec<Dependency>,
    /// The configurations of providers that it passes, by the names that the module knows them by.
    pub providers: Vec<(ProviderName, ProviderReference)>,
    /// Values for its variables.
    pub arguments: Vec<Argument>,
    /// Where the block's header stands.
    pub span: Span,
}

/// A `check` block.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckBlock {
    /// Data sources of its own, read last; their failures are warnings.
    pub data: Vec<Arc<ResourceBlock>>,
    /// What must hold.
    pub assertions: Vec<Assertion>,
    /// How long what depends on it waits until it passes, in seconds.
    pub timeout: u64,
    /// Where the block's header stands.
    pub span: Span,
}
