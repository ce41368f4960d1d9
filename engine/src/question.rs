//! What a plan needs to know of the world, and what it is told.
//!
//! The walk cannot fetch: it leaves questions, the edge ([`crate::observe`]) answers them in bulk, and the walk goes on. A question
//! is asked once per run; its key is its content.

use crate::address::Address;
use crate::diagnostic::Diagnostic;
use crate::state::{Place, Record, RecordId};
use crate::value::{Secrets, Value};
use std::sync::Arc;

/// One question. Its key is its content.
#[derive(Debug, Clone)]
pub struct Question {
    /// The content as text, such as `read kubernetes_secret.a` or `file /etc/motd`.
    key: Arc<str>,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked.
#[derive(Debug, Clone)]
pub enum Ask {
    /// Is this place there, and which one is it? Answered by the provider of the place's kind: an object with `uid` and, for a place
    /// whose credentials come from a data source, that source's attributes with `connection`.
    Place {
        /// The address that describes it.
        address: Address,
        /// What the state remembers of it.
        place: Box<Place>,
        /// Its record, if it has one.
        record: Option<Box<Record>>,
    },
    /// Is this record's thing still there, and how? Answered with an object in the kind's observed shape, with `uid` if it has one.
    Read {
        /// The record's address.
        address: Address,
        /// The deposed object that is meant, or the current one.
        deposed: Option<Arc<str>>,
        /// The record.
        record: Box<Record>,
    },
    /// Does a thing of this identity exist? Answered like a read.
    Exists(Box<Proposal>),
    /// Is the thing there that is to be imported, and how? Answered like a read, with in addition `attributes`: the arguments as they
    /// are there, beside what the kind computes; `owners`, by their record ids the marks of all records of meshplan that manage the thing, of whichever
    /// state; `forced`, whether it is to be ours whoever has it; and `notes`, texts for the plan. `uid` and `id` of the proposal are those of an import that was interrupted, if any. Asked
    /// only where [`Kind::import`](crate::schema::Kind::import) takes the id; the arguments may hold unknowns.
    Import(Box<Proposal>),
    /// How is the thing that this id names, of which there is no configuration yet? Answered with `attributes`, the arguments that would
    /// write it, without the place, without what it has by default or from the server, with what is secret sensitive; and with `notes`, texts for whoever reads
    /// them. Asked only of kinds that [describe](crate::schema::Kind::describes).
    Describe {
        /// The address that it is to get.
        address: Address,
        /// Its kind.
        kind: Arc<str>,
        /// The place it lies in.
        place: Option<Address>,
        /// What names it.
        id: Arc<str>,
    },
    /// What does this data source say? Answered with its attributes.
    Data {
        /// The instance that asks.
        address: Address,
        /// The data source's kind.
        kind: Arc<str>,
        /// The place it reads from, if its kind lies in one.
        place: Option<Address>,
        /// Its arguments, wholly known.
        arguments: Value,
    },
    /// What would the server make of this thing? Answered in the kind's observed shape.
    Preview(Box<Proposal>),
    /// What stands in the way of this thing on its machine? Answered as [`Obstacle::told`](crate::schema::Obstacle::told) tells. Asked only
    /// of kinds that make [claims](crate::schema::Kind::claims); the arguments may hold unknowns.
    Obstacles(Box<Proposal>),
    /// Who uses this thing, which is to be deleted? Answered as [`Usage::told`](crate::schema::Usage::told) tells. Asked only of kinds whose
    /// things may [have users](crate::schema::Kind::has_users).
    Users {
        /// The record's address.
        address: Address,
        /// The record.
        record: Box<Record>,
    },
    /// What does this manifest set come to? Answered with an object in the shape that [`Kind::rendered`](crate::schema::Kind::rendered) reads, and
    /// with `remarks`, texts for people. Sets of one input are asked for once, at whichever of them.
    Render {
        /// A set that asks.
        address: Address,
        /// Its kind.
        kind: Arc<str>,
        /// The configuration of the provider that answers, such as `istio` or `istio.canary`.
        provider: Arc<str>,
        /// The input of [`Kind::rendering`](crate::schema::Kind::rendering), wholly known: placeholders stand for what is not.
        input: Value,
    },
    /// What does this file hold? Answered with a string; a file that is not UTF-8 is refused. `path` is absolute or relative to
    /// the working directory.
    File {
        /// The path.
        path: Arc<str>,
    },
    /// What files are below this directory? Answered with a list of strings: their paths from there, sorted, with `/` between. Links to
    /// files count, links to directories are not followed.
    Files {
        /// The directory, absolute or relative to the working directory.
        directory: Arc<str>,
        /// Within how many directories of it to look: 0 is the directory itself alone, none is any number.
        depth: Option<usize>,
    },
}

/// A thing as it is to become.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// Its address.
    pub address: Address,
    /// Its kind.
    pub kind: Arc<str>,
    /// The place it lies in.
    pub place: Option<Address>,
    /// The record's id, if it has one.
    pub id: Option<RecordId>,
    /// The uid of what is there, if anything of ours is, or is to be.
    pub uid: Option<Arc<str>>,
    /// Its arguments, wholly known.
    pub arguments: Value,
}

impl Question {
    /// The question with this content. The key never holds a secret in clear: what is sensitive enters by its hash.
    pub fn new(ask: Ask) -> Self {
        let hash = |value: &Value| crate::value::fingerprint(value);
        let key = match &ask {
            Ask::Place { address, .. } => format!("place {address}"),
            Ask::Read { address, deposed: None, .. } => format!("read {address}"),
            Ask::Read { address, deposed: Some(key), .. } => format!("read {address} deposed {key}"),
            Ask::Exists(p) => format!("exists {} {}", p.address, hash(&p.arguments)),
            Ask::Import(p) => format!("import {} {}", p.address, hash(&p.arguments)),
            Ask::Describe { address, place, id, .. } => match place {
                Some(place) => format!("describe {address} in {place}: {id}"),
                None => format!("describe {address}: {id}"),
            },
            Ask::Data { address, arguments, .. } => format!("data {address} {}", hash(arguments)),
            Ask::Preview(p) => format!("preview {} {}", p.address, hash(&p.arguments)),
            Ask::Obstacles(p) => format!("obstacles {} {}", p.address, hash(&p.arguments)),
            Ask::Users { address, .. } => format!("users {address}"),
            Ask::Render { kind, provider, input, .. } => format!("render {kind} by {provider} {}", hash(input)),
            Ask::File { path } => format!("file {path}"),
            Ask::Files { directory, depth: None } => format!("files {directory}"),
            Ask::Files { directory, depth: Some(depth) } => format!("files {depth} {directory}"),
        };
        Self { key: key.into(), ask }
    }

    /// The key.
    pub fn key(&self) -> &Arc<str> {
        &self.key
    }
}

/// An answer. There is no "probably": what could not be observed is [`Answer::Unreachable`].
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is there, like this.
    Present(Value),
    /// It is proven not to be there.
    Absent,
    /// It could not be asked, and why, as a fragment that fits after "not observed:".
    Unreachable(Arc<str>),
    /// It was asked and the answer is an error.
    Refused(Diagnostic),
    /// Other managers own fields of it; each with what it owns and when it last wrote, for people.
    Conflict(Vec<Arc<str>>),
}

impl Answer {
    /// The same without the secrets that it repeats in words.
    #[must_use]
    pub fn without(self, secrets: &Secrets) -> Self {
        match self {
            Self::Refused(problem) if !secrets.is_empty() => {
                Self::Refused(Diagnostic { detail: secrets.hidden_in(&problem.detail), ..problem })
            }
            Self::Unreachable(why) if !secrets.is_empty() => Self::Unreachable(secrets.hidden_in(&why).into()),
            answer => answer,
        }
    }
}

/// What the reason of an [`Answer::Unreachable`] begins with where pods or traffic would be needed and there are none: what a check asks so
/// is not run, rather than failed.
pub const NO_DATA_PLANE: &str = "no data plane";

impl Answer {
    /// That a question needs pods or traffic, and why there are none where it would be asked, as a fragment.
    pub fn no_data_plane(why: &str) -> Self {
        Self::Unreachable(format!("{NO_DATA_PLANE}: {why}").into())
    }
}

/// Whether something was not asked for want of a data plane, by the reason why it was not.
pub fn wants_data_plane(why: &str) -> bool {
    why.strip_prefix(NO_DATA_PLANE).is_some_and(|rest| rest.starts_with(": "))
}

/// Questions by their keys: each is asked once.
pub type Questions = std::collections::BTreeMap<Arc<str>, Question>;

/// All answers of a run, by the question's key.
pub type Answers = std::collections::BTreeMap<Arc<str>, Answer>;
