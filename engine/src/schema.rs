//! What a kind is: data about its attributes, and the pure half of its behaviour, all callable while planning.
//!
//! The effects of a kind are in [`crate::port`].

mod adjusted;
mod catalogue;
mod claim;
mod compare;
mod ignored;
mod lint;
mod pair;
mod provider;
mod rendering;
mod usage;

pub use adjusted::{Adjusted, Adjustment};
pub use catalogue::Catalogue;
pub use claim::{Claim, Obstacle, Transport};
pub(crate) use compare::same;
pub use compare::{compare, created};
pub use ignored::{Ignored, ignoring, replaced};
pub use lint::{Lint, LintInput, LintInstance, Rule};
pub use pair::Pair;
pub use provider::{ProviderName, ProviderSchema, Setting};
pub use rendering::{Placeholders, Rendering};
pub use usage::{Usage, User, named};

use crate::address::Address;
use crate::state::Record;
use crate::value::{Class, Type, Value};
use std::fmt;
use std::sync::Arc;

/// Who gives an attribute its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The configuration must.
    Required,
    /// The configuration may; null or the default otherwise.
    Optional,
    /// The kind does, never the configuration.
    Computed,
    /// The configuration may; the kind does otherwise.
    OptionalComputed,
}

/// What a change of an attribute means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnChange {
    /// An update in place.
    Update,
    /// The thing is replaced.
    Replace,
}

/// One attribute of a kind.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// As written in configuration.
    pub name: &'static str,
    /// The name as the key of attributes, shared by all instances.
    pub key: Arc<str>,
    /// What its value is converted to.
    pub ty: Type,
    /// Who gives the value.
    pub presence: Presence,
    /// What a missing optional value becomes.
    pub default: Option<Value>,
    /// What a change of it means.
    pub on_change: OnChange,
    /// Whether its value is always sensitive.
    pub sensitive: bool,
    /// Whether a computed value may change with any update, and is unknown until then.
    pub volatile: bool,
    /// Whether it is a credential of the place that this attribute's value came from: its holder is then deleted before that
    /// place is destroyed or replaced.
    pub credential: bool,
    /// One or two sentences for the reference: meaning, unit, the field's own name for it.
    pub doc: &'static str,
}

impl Attribute {
    fn new(name: &'static str, ty: Type, presence: Presence, doc: &'static str) -> Self {
        let (default, on_change) = (None, OnChange::Update);
        Self { name, key: name.into(), ty, presence, default, on_change, sensitive: false, volatile: false, credential: false, doc }
    }

    /// The configuration must give it.
    pub fn required(name: &'static str, ty: Type, doc: &'static str) -> Self {
        Self::new(name, ty, Presence::Required, doc)
    }

    /// The configuration may give it.
    pub fn optional(name: &'static str, ty: Type, doc: &'static str) -> Self {
        Self::new(name, ty, Presence::Optional, doc)
    }

    /// The kind gives it.
    pub fn computed(name: &'static str, ty: Type, doc: &'static str) -> Self {
        Self::new(name, ty, Presence::Computed, doc)
    }

    /// Either gives it.
    pub fn optional_computed(name: &'static str, ty: Type, doc: &'static str) -> Self {
        Self::new(name, ty, Presence::OptionalComputed, doc)
    }

    /// With a default.
    #[must_use]
    pub fn default(mut self, value: Value) -> Self {
        self.default = Some(value);
        self
    }

    /// A change of it replaces the thing.
    #[must_use]
    pub fn replaces(mut self) -> Self {
        self.on_change = OnChange::Replace;
        self
    }

    /// Always sensitive.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Computed anew by every update.
    #[must_use]
    pub fn volatile(mut self) -> Self {
        self.volatile = true;
        self
    }

    /// Holds a credential of the place its value came from.
    #[must_use]
    pub fn credential(mut self) -> Self {
        self.credential = true;
        self
    }
}

/// The data of a kind.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The name in configuration, such as `sandbox_cluster`.
    pub kind: &'static str,
    /// One or two sentences for the reference.
    pub doc: &'static str,
    /// Version of the attributes' shape in state; see [`Kind::upgrade`].
    pub version: u32,
    /// All attributes, in the order of the reference.
    pub attributes: Vec<Attribute>,
    /// The classes an instance offers to references.
    pub classes: &'static [Class],
    /// The argument whose reference is the place the instance lies in, such as `cluster`. See [`Kind::place`].
    pub place: Option<&'static str>,
    /// Whether the thing has effects outside the state. Without them (`core`, `certificates`) only outcomes are journaled.
    pub outside: bool,
    /// Whether create may be followed by a wait; see [`Kind::settles`].
    pub settles: bool,
}

impl Schema {
    /// An attribute by name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The arguments of a block that says nothing: the defaults, and null where there is none.
    pub fn defaults(&self) -> Value {
        let given = self.attributes.iter().filter(|attribute| attribute.presence != Presence::Computed);
        Value::object(given.map(|attribute| (attribute.key.clone(), attribute.default.clone().unwrap_or_else(Value::null))))
    }
}

/// A problem with the arguments of one instance, found by its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The argument it is about, if one.
    pub attribute: Option<String>,
    /// A few constant words.
    pub summary: String,
    /// Whole sentences: what is wrong and why. Never holds a secret.
    pub detail: String,
    /// What to do.
    pub help: Option<String>,
    /// Whether it is only worth a look.
    pub warning: bool,
    /// The id of the rule that is broken, if it is one of the lint.
    pub rule: Option<&'static str>,
}

impl Problem {
    /// An error about one argument.
    pub fn with(attribute: &str, summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { attribute: Some(attribute.to_owned()), ..Self::new(summary, detail) }
    }

    /// An error about the whole.
    pub fn new(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { attribute: None, summary: summary.into(), detail: detail.into(), help: None, warning: false, rule: None }
    }

    /// The same problem, with what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same problem as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.warning = true;
        self
    }
}

/// What a kind is asked when an instance is planned.
#[derive(Clone, Copy)]
pub struct Comparison<'a> {
    /// The converted arguments, an object with every non-computed attribute of the schema. May hold unknowns.
    pub desired: &'a Value,
    /// What the state remembers.
    pub prior: Option<&'a Record>,
    /// What a read found: an object in the kind's own shape, usually its attributes. Nothing when refresh is off. Without `prior` it is what
    /// is to be imported: there, and not ours yet.
    pub observed: Option<&'a Value>,
    /// The answer to the preview that was asked for.
    pub preview: Option<&'a Preview>,
    /// Whether a preview may be asked for: it was not yet, and the world is to be looked at.
    pub previewable: bool,
    /// Key of the HMACs that stand in records in place of secret content; empty before the state's first write.
    pub secret_key: &'a [u8],
}

/// Shows all but the key.
impl fmt::Debug for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { desired, prior, observed, preview, previewable, secret_key: _ } = self;
        let mut shown = f.debug_struct("Comparison");
        shown.field("desired", desired).field("prior", prior).field("observed", observed);
        shown.field("preview", preview).field("previewable", previewable).finish_non_exhaustive()
    }
}

/// What a server makes of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Preview {
    /// The thing as it would be, in the shape that [`Comparison::observed`] has.
    Accepted(Value),
    /// It could not be asked, and why; the kind falls back to what it can tell offline.
    NotPreviewed(Arc<str>),
}

/// What was changed outside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drift {
    /// Dotted paths.
    pub paths: Vec<String>,
    /// Who changed them, and when, as far as that is known: words such as ``by `kubectl-edit` at 2026-01-01T00:00:00Z``.
    pub by: Vec<String>,
}

/// What becomes of an instance.
#[derive(Debug, Clone, PartialEq)]
pub enum Planned {
    /// It is as desired. The attributes are those that dependents see.
    Keep(Value),
    /// It is created.
    Create(Value),
    /// It is changed in place.
    Update {
        /// What dependents see; unknown where only the update tells.
        attributes: Value,
        /// Dotted paths of what differs, the most telling first.
        changed: Vec<String>,
        /// How what is there differs from what the state remembers, when that is why.
        drifted: Drift,
    },
    /// It is deleted and created again.
    Replace {
        /// What dependents see.
        attributes: Value,
        /// Dotted paths of what cannot change in place; none where an interrupted create left a part that nothing completes.
        because: Vec<String>,
    },
    /// A preview is needed to tell.
    Ask,
    /// It cannot be.
    Refused(Problem),
}

/// One member of a manifest set.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// `Kind/namespace/name`, or `Kind/name` for what no namespace holds.
    pub key: String,
    /// The kind of the member's record, one of the same provider or of one it builds on.
    pub kind: &'static str,
    /// The member's arguments, an object in that kind's shape. May hold unknowns.
    pub arguments: Value,
    /// Keys of the members that must be ready before this one is created.
    pub after: Vec<String>,
}

/// The pure half of a kind. Arguments always come converted to the schema's types; references show what they lead to through
/// [`Value::referent`], which may be unknown.
pub trait Kind: Send + Sync {
    /// The kind's data.
    fn schema(&self) -> &Schema;

    /// Every problem that the arguments alone show. Unknown parts are no problem.
    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let _ = arguments;
        Vec::new()
    }

    /// The place the instance lies in: by default where [`Schema::place`] leads.
    fn place(&self, arguments: &Value) -> Option<Address> {
        let argument = self.schema().place?;
        Some(arguments.get(argument)?.instance()?.address.clone())
    }

    /// What names the thing within its place (for Kubernetes `Secret/istio-system/cacerts`), once that is known. Two records of one
    /// identity are an error, unless it is [shared](Kind::is_shared); no identity, no such check.
    fn identity(&self, arguments: &Value) -> Option<String> {
        let _ = arguments;
        None
    }

    /// Whether several instances may be one thing with others that say so too: it then stays until the last of them is deleted, which is the
    /// provider's to see to.
    fn is_shared(&self, arguments: &Value) -> bool {
        let _ = arguments;
        false
    }

    /// Whether a data source asks if something works, which a plan may only be about to make: it stands in `check` blocks and tests alone.
    fn probes(&self) -> bool {
        false
    }

    /// Whether a data source with these arguments makes something for as long as it takes to answer, such as a pod. No plan asks it, since who
    /// plans may look and no more; it is asked by those who run checks, and while a plan is applied. It has to [probe](Kind::probes).
    fn acts(&self, arguments: &Value) -> bool {
        let _ = arguments;
        false
    }

    /// What the attributes of a data source that was read say of pairs, for people to see as a table beside the check that asked. By default nothing.
    fn pairs(&self, attributes: &Value) -> Vec<Pair> {
        let _ = attributes;
        Vec::new()
    }

    /// What has to be in its place before the instance can be, whoever brings it: identities of other things, or what they say under
    /// [`Kind::brings`]. Where an instance of the plan does, this one is made after it and deleted before it.
    fn requires(&self, arguments: &Value) -> Vec<String> {
        let _ = arguments;
        Vec::new()
    }

    /// What is in its place once the instance is, beside what [`Kind::identity`] names: for a definition of Kubernetes, the kind that it
    /// defines.
    fn brings(&self, arguments: &Value) -> Vec<String> {
        let _ = arguments;
        Vec::new()
    }

    /// Whether a thing with these arguments is imported under this id: that it is the id of the very thing which the arguments describe.
    /// Kinds that import nothing refuse every id, as by default.
    fn import(&self, id: &str, arguments: &Value) -> Result<(), Problem> {
        let _ = (id, arguments);
        let detail = format!("`{}` is of a kind whose things cannot be imported", self.schema().kind);
        Err(Problem::new("not importable", detail).help("Do without an import: an apply creates it."))
    }

    /// Whether the arguments of a thing can be told from what exists under an id.
    fn describes(&self) -> bool {
        false
    }

    /// Whether an instance takes over what is there already, without an `import` block: the provider is then asked what that is.
    fn adopts(&self, arguments: &Value) -> bool {
        let _ = arguments;
        false
    }

    /// Problems that show only when all planned instances of the kind are seen together, each with the instance it is reported at. The
    /// values are their arguments; of data sources that were read, all their attributes.
    fn lint(&self, instances: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
        let _ = instances;
        Vec::new()
    }

    /// What an instance writes, in the shape of where it is written, for lints that look at many kinds: the object of a Kubernetes API. Nothing,
    /// as by default, for kinds that write none, or none by themselves. May hold unknowns.
    fn writes(&self, arguments: &Value) -> Option<Value> {
        let _ = arguments;
        None
    }

    /// What an instance takes for itself of the machine that its provider works on, as far as that is known: two that exclude each other are
    /// an error, and before something is made or changed the provider is asked what stands in its way. Nothing, as by default, for kinds that
    /// have nothing to do with a machine.
    fn claims(&self, arguments: &Value) -> Option<Vec<Claim>> {
        let _ = arguments;
        None
    }

    /// Whether others may use a recorded thing of which nothing here tells: before a plan deletes it, its provider is asked who does
    /// ([`Ask::Users`](crate::question::Ask::Users)), and again by the delete itself. By default nobody does.
    fn has_users(&self, attributes: &Value) -> bool {
        let _ = attributes;
        false
    }

    /// The arguments with what is there in the place of what `ignore_changes` names: by default [`ignoring`], attribute by attribute.
    fn ignoring(&self, asked: Ignored<'_>) -> Value {
        ignoring(self.schema(), asked)
    }

    /// What becomes of the instance: by default [`compare`], attribute by attribute.
    fn planned(&self, asked: Comparison<'_>) -> Planned {
        compare(self.schema(), asked)
    }

    /// What the answer to a preview shows that is worth a look, such as rights that an apply will need. The same words are told once.
    fn remarks(&self, preview: &Value) -> Vec<Problem> {
        let _ = preview;
        Vec::new()
    }

    /// Why an instance is not replaced because a run or a block asks for it, and what to do instead. By default it may be.
    fn irreplaceable(&self) -> Option<Problem> {
        None
    }

    /// What of an observation a plan stands on that is applied later: the fields that are ours or are read. By default all of it. Its entry
    /// `uid` is looked at apart.
    fn stands_on(&self, observed: &Value) -> Value {
        observed.clone()
    }

    /// Dotted paths of what was ours and others are entitled to by now: that they change it is no change of what a plan stands on.
    fn yielded(&self, observed: &Value) -> Vec<String> {
        let _ = observed;
        Vec::new()
    }

    /// The manifest set that the arguments render to, or nothing if the kind renders none.
    fn members(&self, arguments: &Value) -> Option<Result<Vec<Member>, Problem>> {
        let _ = arguments;
        None
    }

    /// What the manifest set has to be rendered from by the kind's provider, before it is known which members there are; nothing, as by default, where
    /// [`Kind::members`] tells. The provider answers [`Ask::Render`](crate::question::Ask::Render).
    fn rendering(&self, arguments: &Value) -> Option<Result<Rendering, Problem>> {
        let _ = arguments;
        None
    }

    /// The members of a set that was [rendered](Kind::rendering) to this.
    fn rendered(&self, arguments: &Value, rendered: &Value) -> Result<Vec<Member>, Problem> {
        let _ = (arguments, rendered);
        Ok(Vec::new())
    }

    /// Whether an instance with these arguments is waited for after its create or update: by default what the schema says.
    fn settles(&self, arguments: &Value) -> bool {
        let _ = arguments;
        self.schema().settles
    }

    /// What a record keeps of the attributes (of a finished effect, or of an intent): by default all of them. A kind whose arguments hold
    /// what must not be stored puts HMACs under `secret_key` in its place.
    fn remembered(&self, attributes: &Value, secret_key: &[u8]) -> Value {
        let _ = secret_key;
        attributes.clone()
    }

    /// A record's attributes of an older schema version, always lower than today's, in today's shape: by default as they are. What was
    /// marked as sensitive has to stay so.
    fn upgrade(&self, version: u32, attributes: Value) -> Result<Value, Problem> {
        let _ = version;
        Ok(attributes)
    }
}
