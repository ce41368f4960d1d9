//! The plan file, version 1: all that an apply needs and all that people look at, for one version of meshplan.

mod addresses;
mod configuration;
mod expressions;
mod holes;
mod prior;
mod program;
mod providers;
mod review;
mod secrets;
mod sources;
mod values;

use super::sealing_v1::Sealing;
use super::words_v1::{Words, is_false};
use super::{MESHPLAN_VERSION, NotStorable};
use crate::history::Snapshot;
use crate::plan_file::{PlanFile, Refused};
use crate::plan_key::{PlanKeys, PlanSeal};
use crate::sealing::{KeyId, SealError, SealingKey, sealed_with};
use addresses::Named;
use engine::diagnostic::Diagnostic;
use engine::plan::{CheckResult, Digested, Plan};
use engine::schema::Catalogue;
use expressions::{ExpressionV1, Expressions, Listing};
use holes::HolesV1;
use prior::{BasisV1, PriorV1, basis, basis_v1};
use program::ProgramV1;
use providers::ProvidersV1;
use review::{BlockedV1, ChangeV1, CheckV1, DiagnosticV1, OutputChangeV1};
use secrets::{Opened, Secrets};
use serde::{Deserialize, Serialize};
use sources::SourceV1;
use std::collections::BTreeMap;
use values::{At, NodeV1, Numbers, Values, Writing};

/// The version of this format.
pub(crate) const VERSION: u64 = 1;
const FORMAT: &str = "meshplan plan";

/// How a plan file begins: no other file of ours does.
pub(crate) const BEGINNING: &str = "{\"format\":\"meshplan plan\",";

/// The file. What others name by numbers comes last.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the file that says something of its own")]
struct PlanV1 {
    format: String,
    version: u64,
    meshplan_version: String,
    made_at: u64,
    digest: Words,
    #[serde(default, skip_serializing_if = "is_false")]
    errored: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    destroy: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    partial: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    refresh_only: bool,
    variables: BTreeMap<Words, At>,
    changes: Vec<ChangeV1>,
    outputs: Vec<OutputChangeV1>,
    checks: Vec<CheckV1>,
    blocked: Vec<BlockedV1>,
    diagnostics: Vec<DiagnosticV1>,
    sources: Vec<SourceV1>,
    upgraded: usize,
    renamed: Vec<(Named, Named)>,
    /// Places that the state remembers under addresses that lead elsewhere now.
    left: Vec<Named>,
    basis: Vec<BasisV1>,
    prior: PriorV1,
    providers: ProvidersV1,
    #[serde(default, skip_serializing_if = "HolesV1::is_empty")]
    holes: HolesV1,
    program: ProgramV1,
    expressions: Vec<ExpressionV1>,
    values: Vec<NodeV1>,
    /// Which of the keys of the `encryption` block, if it is one of these.
    #[serde(default, skip_serializing_if = "Sealing::is_unsaid")]
    sealing: Sealing,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
    /// What it was made from, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    configuration: Option<String>,
    /// The revision of the history that the configuration is of, if it is not the one in the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
}

/// What every version of the file says.
#[derive(Deserialize)]
struct AnyVersion {
    format: String,
    version: u64,
    #[serde(default)]
    meshplan_version: String,
}

/// What the secrets of a plan are sealed for: they fit no other plan.
fn associated(prior: &PriorV1, digest: &Words) -> Vec<u8> {
    format!("plan {} {} {}", prior.lineage(), prior.serial(), digest.0).into_bytes()
}

/// The text of a plan file. Without a key there is no configuration in it, and no file if there is a secret.
pub(crate) fn write<E>(file: &PlanFile, key: impl FnOnce() -> Result<PlanSeal, E>) -> Result<Vec<u8>, Written<E>> {
    let plan = &file.plan;
    let mut secrets = Secrets::default();
    let providers = plan.holes.without(&plan.providers);
    let mut values = Writing::new(Some(&mut secrets));
    // What is shown goes first, and shows of what is not known only that.
    values.numbers = Numbers::Gone;
    let mut listing = Listing { expressions: Vec::new() };
    let mut stored = PlanV1 {
        format: FORMAT.to_owned(),
        version: VERSION,
        meshplan_version: MESHPLAN_VERSION.to_owned(),
        made_at: file.made_at,
        digest: Words(plan.digest().into()),
        errored: plan.is_errored(),
        destroy: plan.destroy,
        partial: plan.partial,
        refresh_only: plan.refresh_only,
        variables: file.variables.iter().map(|(name, value)| (Words(name.clone()), values.put(value))).collect(),
        changes: plan.changes.iter().map(|change| ChangeV1::of(change, &mut values)).collect(),
        outputs: plan.outputs.iter().map(|output| OutputChangeV1::of(output, &mut values)).collect(),
        checks: plan.checks.iter().map(CheckV1::from).collect(),
        blocked: plan.blocked.iter().map(BlockedV1::from).collect(),
        diagnostics: plan.diagnostics.iter().map(DiagnosticV1::from).collect(),
        sources: sources::excerpts(&file.sources, &plan.diagnostics),
        upgraded: plan.upgraded,
        renamed: plan.renamed.iter().map(|(from, to)| (Named(from.clone()), Named(to.clone()))).collect(),
        left: plan.left.keys().cloned().map(Named).collect(),
        basis: basis_v1(&plan.basis),
        prior: PriorV1::of(&plan.prior, &mut values),
        providers: ProvidersV1::of(&providers, &mut values),
        holes: HolesV1::of(&plan.holes, &mut values, &mut listing),
        program: {
            values.numbers = Numbers::Slots;
            ProgramV1::of(&plan.program, &mut values, &mut listing)
        },
        expressions: Vec::new(),
        values: Vec::new(),
        sealing: Sealing::Unsaid,
        sealed: None,
        configuration: None,
        revision: file.revision,
    };
    let met_ephemeral = values.met_ephemeral;
    (stored.expressions, stored.values) = (listing.expressions, values.nodes);
    if met_ephemeral {
        return Err(Written::NotStorable(not_storable(secrets::EPHEMERAL)));
    }
    let secret = secrets.text().map_err(|why| Written::NotStorable(not_storable(why)))?;
    // What is never applied leaves no revision.
    let configuration = file.configuration.as_ref().filter(|_| !stored.errored);
    if secret.is_some() || configuration.is_some() {
        match key() {
            Ok(seal) => stored.close(seal, (secret, configuration))?,
            Err(error) if secret.is_some() => return Err(Written::NoKey(error)),
            Err(_) => {}
        }
    }
    let mut text = serde_json::to_vec(&stored).map_err(|_| Written::NotStorable(not_storable("it has no JSON form")))?;
    text.push(b'\n');
    Ok(text)
}

fn not_storable(why: &'static str) -> NotStorable {
    NotStorable { what: "the plan".to_owned(), why }
}

/// Why a plan could not be written down.
pub(crate) enum Written<E> {
    /// There is no key for its secrets.
    NoKey(E),
    /// Its secrets could not be sealed.
    NotSealed(SealError),
    /// Something of it has no form in the file.
    NotStorable(NotStorable),
}

/// The plan that a text writes. Without the key that it was sealed with its secrets stay closed.
pub(crate) fn read(text: &str, catalogue: &Catalogue, keys: &PlanKeys) -> Result<PlanFile, Refused> {
    let any: AnyVersion = serde_json::from_str(text).map_err(|_| Refused::NotAPlan)?;
    if any.format != FORMAT {
        return Err(Refused::NotAPlan);
    }
    if any.version != VERSION || any.meshplan_version != MESHPLAN_VERSION {
        return Err(Refused::OtherVersion(any.meshplan_version));
    }
    let stored: PlanV1 = serde_json::from_str(text).map_err(|error| Refused::Corrupt(error.to_string()))?;
    let (secrets, closed) = open(&stored, catalogue, keys)?;
    let configuration = configured(&stored, keys)?;
    stored.plan(catalogue, &secrets).map(|file| PlanFile { configuration, closed, ..file }).map_err(Refused::Corrupt)
}

/// The secrets of a plan, and the key that is missing for them if one is.
fn open(stored: &PlanV1, catalogue: &Catalogue, keys: &PlanKeys) -> Result<(Opened, Option<KeyId>), Refused> {
    let Some(sealed) = &stored.sealed else { return Ok((Opened::none(), None)) };
    match stored.key_of(sealed, keys)? {
        Err(missing) => Ok((Opened::Closed, Some(missing))),
        Ok(key) => {
            let text = key.open(sealed, &associated(&stored.prior, &stored.digest)).map_err(|error| Refused::Corrupt(error.to_string()))?;
            Ok((Opened::read(&text, catalogue).map_err(Refused::Corrupt)?, None))
        }
    }
}

/// What a plan was made from, if that is in the file and there is a key for it.
fn configured(stored: &PlanV1, keys: &PlanKeys) -> Result<Option<Snapshot>, Refused> {
    let Some(sealed) = &stored.configuration else { return Ok(None) };
    let Ok(key) = stored.key_of(sealed, keys)? else { return Ok(None) };
    configuration::open(sealed, &key, &associated(&stored.prior, &stored.digest)).map(Some).map_err(Refused::Corrupt)
}

impl PlanV1 {
    /// Seals its secrets, and what it was made from.
    fn close<E>(&mut self, seal: PlanSeal, (secret, made_from): (Option<String>, Option<&Snapshot>)) -> Result<(), Written<E>> {
        let PlanSeal { key, sealed_by } = seal;
        let associated = associated(&self.prior, &self.digest);
        if let Some(text) = secret {
            self.sealed = Some(key.seal(text.as_bytes(), &associated).map_err(Written::NotSealed)?);
        }
        if let Some(made_from) = made_from {
            let text =
                configuration::text(made_from).map_err(|_| Written::NotStorable(not_storable("its configuration has no JSON form")))?;
            self.configuration = Some(configuration::seal(&text, &key, &associated).map_err(Written::NotSealed)?);
        }
        self.sealing = sealed_by.map_or(Sealing::Unsaid, Sealing::By);
        Ok(())
    }

    /// The key that something was sealed with, or which one is missing.
    fn key_of(&self, sealed: &str, keys: &PlanKeys) -> Result<Result<SealingKey, KeyId>, Refused> {
        let id = sealed_with(sealed).map_err(|error| Refused::Corrupt(error.to_string()))?;
        let sealed_by = match &self.sealing {
            Sealing::By(sealed_by) => Some(sealed_by),
            Sealing::Unsaid | Sealing::None => None,
        };
        let found = keys.find(&id, sealed_by).map_err(|error| Refused::Corrupt(error.to_string()))?;
        Ok(found.ok_or(id))
    }

    fn plan(self, catalogue: &Catalogue, secrets: &Opened) -> Result<PlanFile, String> {
        let values = Values::read(self.values, catalogue, secrets)?;
        let mut expressions = Expressions::read(self.expressions, &values)?;
        let variables = self.variables.into_iter().map(|(name, at)| Ok((name.0, values.get(&at)?)));
        let variables = variables.collect::<Result<_, String>>()?;
        let plan = Plan {
            changes: self.changes.into_iter().map(|change| change.read(&values)).collect::<Result<_, _>>()?,
            outputs: self.outputs.into_iter().map(|output| output.read(&values)).collect::<Result<_, _>>()?,
            unplanned_outputs: BTreeMap::new(),
            checks: self.checks.into_iter().map(CheckResult::from).collect(),
            blocked: self.blocked.into_iter().map(Into::into).collect(),
            diagnostics: self.diagnostics.into_iter().map(Diagnostic::from).collect(),
            program: self.program.read(&values, &mut expressions, secrets)?,
            prior: self.prior.read(&values)?,
            providers: self.providers.read(&values)?,
            holes: self.holes.read(&values, &mut expressions)?,
            supplied: BTreeMap::new(),
            upgraded: self.upgraded,
            connections: BTreeMap::new(),
            left: self.left.into_iter().map(|address| (address.0, engine::value::Value::null())).collect(),
            renamed: self.renamed.into_iter().map(|(from, to)| (from.0, to.0)).collect(),
            destroy: self.destroy,
            partial: self.partial,
            refresh_only: self.refresh_only,
            basis: basis(self.basis),
            pinned: Some(self.digest.0),
            digested: Digested::default(),
        };
        if plan.is_errored() != self.errored {
            return Err("it says of itself that it is errored, or not, and is otherwise".to_owned());
        }
        let (sources, made_at, revision) = (sources::tree(self.sources)?, self.made_at, self.revision);
        Ok(PlanFile { plan, sources, variables, configuration: None, revision, made_at, closed: None })
    }
}
