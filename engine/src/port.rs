//! The edge: what the engine needs of providers, of the store, and of the machine. Only [`crate::observe`] and
//! [`crate::apply`] call it, and only through these traits.

mod activity;
mod registry;

pub use activity::Activity;
pub use registry::Registry;

use crate::address::Address;
use crate::question::{Answer, Question};
use crate::schema::{Kind, Lint, Preview, Problem, ProviderSchema};
use crate::state::{Entry, Fingerprint, Record, RecordId, State};
use crate::value::Value;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A boxed future, so that the traits here can be objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How a place is reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Connected {
    /// The address that describes it.
    pub address: Address,
    /// The value of its attribute `connection`.
    pub connection: Value,
    /// Its uid, once known: checked before the first effect.
    pub uid: Option<Arc<str>>,
}

/// A question with the place it goes to.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The question.
    pub question: Question,
    /// The place it is about or within, if it needs one.
    pub place: Option<Connected>,
}

/// One effect that a provider is asked for.
#[derive(Clone)]
pub struct Request {
    /// The instance.
    pub address: Address,
    /// Its kind.
    pub kind: Arc<str>,
    /// The record's id.
    pub id: RecordId,
    /// The place it lies in.
    pub place: Option<Connected>,
    /// Its arguments, converted and wholly known; of a delete the recorded attributes. References show what they lead to.
    pub arguments: Value,
    /// What the state remembers, if anything.
    pub prior: Option<Record>,
    /// Longest wait, in seconds, if the configuration says so.
    pub timeout: Option<u64>,
    /// Seconds since the Unix epoch when the effect started.
    pub now: u64,
    /// Key for the HMACs of secret content.
    pub secret_key: Arc<[u8]>,
    /// Where it says what it is at.
    pub activity: Activity,
}

/// Shows all but the key.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, kind, id, place, arguments, prior, timeout, now, secret_key: _, activity: _ } = self;
        let mut shown = f.debug_struct("Request");
        shown.field("address", address).field("kind", kind).field("id", id).field("place", place).field("arguments", arguments);
        shown.field("prior", prior).field("timeout", timeout).field("now", now).finish_non_exhaustive()
    }
}

/// What an effect left.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// All attributes of the schema, wholly known.
    pub attributes: Value,
    /// What the world calls the thing.
    pub uid: Option<Arc<str>>,
    /// Fingerprint of what was applied.
    pub applied: Option<Fingerprint>,
    /// Fingerprint of what the fields we own are now.
    pub observed: Option<Fingerprint>,
    /// Lines worth showing.
    pub notes: Vec<String>,
}

impl Done {
    /// An effect that left a thing with these attributes and nothing else to say.
    pub fn new(attributes: Value) -> Self {
        Self { attributes, uid: None, applied: None, observed: None, notes: Vec::new() }
    }
}

/// Why an effect did not succeed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// A few constant words.
    pub summary: String,
    /// Whole sentences; for a wait that timed out the object and the last reason seen. Never holds a secret.
    pub detail: String,
    /// What exists all the same.
    pub partial: Option<Box<Done>>,
    /// Whether the create cannot be resumed: the next plan replaces it.
    pub tainted: bool,
}

impl Failure {
    /// A failure that left nothing.
    pub fn new(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { summary: summary.into(), detail: detail.into(), partial: None, tainted: false }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.summary, self.detail)
    }
}

impl std::error::Error for Failure {}

/// The effects of a family of kinds.
pub trait Provider: Send + Sync {
    /// All its resource kinds.
    fn resources(&self) -> Vec<Arc<dyn Kind>>;

    /// All its data source kinds.
    fn data_sources(&self) -> Vec<Arc<dyn Kind>> {
        Vec::new()
    }

    /// Answers a batch of questions, each exactly once, in any order. It never fails as a whole.
    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>>;

    /// Makes the thing. Ends when it exists; waiting is [`Provider::settle`]'s.
    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>>;

    /// Waits until the thing is ready.
    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>>;

    /// Changes the thing in place. `request.prior` is what is there.
    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>>;

    /// Deletes the thing and waits until it is gone. A thing that is gone already is no failure.
    fn delete(&self, request: Request) -> BoxFuture<'_, Result<(), Failure>>;
}

/// What makes a provider as `provider` blocks configure it.
pub trait ProviderMaker: Send + Sync {
    /// Its name and its settings.
    fn schema(&self) -> ProviderSchema;

    /// The provider as it is when nothing is configured, in one part or several.
    fn usual(&self) -> Vec<Arc<dyn Provider>>;

    /// The provider with these settings, an object of all of its schema's: the same kinds in as many parts.
    fn configured(&self, settings: &Value) -> Result<Vec<Arc<dyn Provider>>, Problem>;

    /// What it finds wrong between instances; by default nothing.
    fn lint(&self) -> Option<Arc<dyn Lint>> {
        None
    }
}

/// Why the store could not do as asked. The text names the file or object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError(pub String);

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}

/// A held lock, and the only thing that can write state.
pub trait Guard: Send + Sync {
    /// Appends entries to the journal and returns when they are durable. Calls that come together share one fsync.
    fn append<'a>(&'a self, batch: &'a [Entry]) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Writes the state with the journal folded in, under the next serial, and returns that serial.
    fn fold<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// Writes a state of whatever lineage, serial and key in place of the one that is there. Nothing can be appended or folded after that.
    fn replace<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Gives the lock back.
    fn release(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>>;
}

/// What a machine has and the engine has not: a clock, a timer and randomness.
pub trait Machine: Send + Sync {
    /// Waits this long.
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()>;

    /// Seconds since the Unix epoch.
    fn now(&self) -> u64;

    /// A fresh record id.
    fn record_id(&self) -> RecordId;
}

/// The files that functions such as `file` read.
pub trait Files: Send + Sync {
    /// The text of a file, [`Answer::Absent`], or why not. Paths are absolute or relative to the working directory.
    fn read(&self, path: &str) -> Answer;

    /// The paths of the files below a directory, as [`crate::question::Ask::Files`] says.
    fn list(&self, directory: &str, depth: Option<usize>) -> Answer;
}

/// What a provider's [`Kind`] may want from a preview's answer.
pub fn preview_of(answer: &Answer) -> Option<Preview> {
    match answer {
        Answer::Present(value) => Some(Preview::Accepted(value.clone())),
        Answer::Unreachable(why) => Some(Preview::NotPreviewed(why.clone())),
        Answer::Absent => Some(Preview::NotPreviewed("it is not there".into())),
        Answer::Refused(_) | Answer::Conflict(_) => None,
    }
}
