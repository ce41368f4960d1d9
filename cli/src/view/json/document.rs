//! Whole plans as one document.

use super::change::Changed;
use super::{FORMAT, Masked, check, counts, diagnostic, drifted, entries, not_planned, output_change};
use engine::plan::Plan;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};
use state::{PlanFile, PlanText};
use std::io::{self, BufWriter, IntoInnerError, Write};

/// Bytes that are written at once.
const TOGETHER: usize = 64 * 1024;

/// A whole plan as one document, for review by people and programs. Secrets are not in it. It is written member by member and change by
/// change: as one tree of values it would take many times the memory of the plan.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a>(pub &'a Plan);

impl Serialize for Document<'_> {
    /// The members stand in the order of their names, as in every document.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(plan) = self;
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("blocked", &Each(plan.blocked.iter().map(not_planned)))?;
        members.serialize_entry("changes", &Each(plan.changes.iter().map(Changed::of)))?;
        members.serialize_entry("checks", &Each(plan.checks.iter().map(check)))?;
        members.serialize_entry("counts", &counts(&plan.counts()))?;
        members.serialize_entry("destroy", &plan.destroy)?;
        members.serialize_entry("digest", plan.digest())?;
        members.serialize_entry("drift", &plan.drift().map(drifted).collect::<Vec<_>>())?;
        members.serialize_entry("format", &FORMAT)?;
        members.serialize_entry("meshplan", env!("CARGO_PKG_VERSION"))?;
        members.serialize_entry("outputs", &Each(plan.outputs.iter().map(output_change)))?;
        members.serialize_entry("partial", &plan.partial)?;
        members.serialize_entry("refresh_only", &plan.refresh_only)?;
        members.end()
    }
}

impl PlanText for Document<'_> {
    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        // Some hundred little pieces for each change: where they go is not asked anew for each of them.
        let mut together = BufWriter::with_capacity(TOGETHER, to);
        serde_json::to_writer(&mut together, self)?;
        together.into_inner().map_err(IntoInnerError::into_error)?;
        Ok(())
    }
}

/// Elements that are made one after the other, as they are written.
struct Each<I>(I);

impl<I: Iterator<Item: Serialize> + Clone> Serialize for Each<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

/// The same of a saved plan, with what its file says beside.
pub fn plan_file(file: &PlanFile) -> Json {
    let PlanFile { plan, sources, variables, made_at, .. } = file;
    let variables = variables.iter().map(|(name, value)| (name.to_string(), Masked::of(value).json));
    let beside = json!({
        "made_at": made_at,
        "lineage": plan.prior.lineage,
        "serial": plan.prior.serial,
        "variables": Json::Object(variables.collect::<Map<_, _>>()),
        "ephemeral_variables": plan.holes.inputs.iter().map(|(name, hole)| json!({ "name": &**name, "needed": hole.default.is_none() })).collect::<Vec<_>>(),
        "entries": entries(plan),
        "errored": plan.is_errored(),
        "diagnostics": plan.diagnostics.iter().map(|problem| diagnostic(sources, problem)).collect::<Vec<_>>(),
    });
    let mut whole = json!(Document(plan));
    if let (Json::Object(whole), Json::Object(beside)) = (&mut whole, beside) {
        whole.extend(beside);
    }
    whole
}
