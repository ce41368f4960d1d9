//! A revision of the history, version 1: lines of JSON, and the state as its file would have it.

use super::snapshot_v1::SnapshotV1;
use super::{NotStorable, Unreadable};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The version of this format.
pub(crate) const VERSION: u64 = 1;

/// The head, the configuration and the plan.
pub(crate) const LINES_BEFORE_STATE: usize = 3;

/// How an operation ended.
#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResultV1 {
    Complete,
    Incomplete,
    Interrupted,
    Unknown,
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeadV1 {
    pub(crate) version: u64,
    pub(crate) meshplan_version: String,
    pub(crate) number: u64,
    pub(crate) time: String,
    pub(crate) by: String,
    pub(crate) operation: String,
    pub(crate) result: ResultV1,
    pub(crate) lineage: String,
    pub(crate) serial: u64,
    pub(crate) counts: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<String>,
}

/// What every version of the first line says.
#[derive(Deserialize)]
struct AnyVersion {
    version: u64,
    #[serde(default)]
    meshplan_version: String,
}

/// The second line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigurationLine<T> {
    configuration: Option<T>,
}

/// The third line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanLine<'a> {
    #[serde(borrow)]
    plan: Option<Cow<'a, RawValue>>,
}

/// Writes JSON without a line break in it.
pub(crate) type WriteJson<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

/// Writes the first line.
pub(crate) fn write_head(head: &HeadV1, to: &mut dyn Write) -> Result<(), NotStorable> {
    or_why(serde_json::to_writer(&mut *to, head).map_err(io::Error::from).and_then(|()| to.write_all(b"\n")))
}

/// Writes the second and the third.
pub(crate) fn write_planned(
    configuration: Option<&SnapshotV1>,
    plan: Option<WriteJson<'_>>,
    to: &mut dyn Write,
) -> Result<(), NotStorable> {
    let mut lines = || {
        serde_json::to_writer(&mut *to, &ConfigurationLine { configuration })?;
        // By hand: a plan is as long as all the rest, and is written as it is made.
        to.write_all(b"\n{\"plan\":")?;
        match plan {
            Some(write) => write(&mut *to)?,
            None => to.write_all(b"null")?,
        }
        to.write_all(b"}\n")
    };
    or_why(lines())
}

fn or_why(written: io::Result<()>) -> Result<(), NotStorable> {
    written.map_err(|_| NotStorable { what: "the revision".to_owned(), why: "it has no JSON form" })
}

/// The head that the first line writes.
pub(crate) fn read_head(line: &str) -> Result<HeadV1, Unreadable> {
    let read = serde_json::from_str::<HeadV1>(line);
    if let (false, Ok(AnyVersion { version, meshplan_version })) =
        (read.as_ref().is_ok_and(|head| head.version == VERSION), serde_json::from_str(line))
        && version != VERSION
    {
        return Err(Unreadable::Newer { version, by: meshplan_version });
    }
    Ok(read?)
}

/// The configuration that the second line writes.
pub(crate) fn read_configuration(line: &str) -> Result<Option<SnapshotV1>, Unreadable> {
    let read: ConfigurationLine<SnapshotV1> = serde_json::from_str(line)?;
    Ok(read.configuration)
}

/// The plan that the third line writes, as it stands.
pub(crate) fn read_plan(line: &str) -> Result<Option<String>, Unreadable> {
    let read: PlanLine<'_> = serde_json::from_str(line)?;
    Ok(read.plan.map(|plan| plan.get().to_owned()))
}
