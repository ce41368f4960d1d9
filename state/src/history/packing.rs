//! A revision in three members of gzip: its head, what was planned, and the state. What was planned is known before it is applied, and is
//! packed while that goes on.

use super::snapshot::{self, Snapshot};
use super::{Account, History, PlanText};
use crate::backend::Kept;
use crate::error::Error;
use crate::format::revision_v1::{self, HeadV1, WriteJson};
use crate::format::{MESHPLAN_VERSION, NotStorable, state_v1};
use crate::holder::{Holder, utc};
use engine::state::State;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt;
use std::io::{BufWriter, IntoInnerError, Write};
use std::path::Path;

/// Bytes that are packed together.
const TOGETHER: usize = 64 * 1024;

/// What was planned, packed.
#[derive(Clone)]
pub struct Planned(Vec<u8>);

/// How much it is.
impl fmt::Debug for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Planned({} bytes)", self.0.len())
    }
}

impl Planned {
    pub(super) fn packed(&self) -> &[u8] {
        &self.0
    }
}

impl History {
    /// Packs a plan and the configuration that it was made from, as far as there are any, for the revision of an apply onto a state with this
    /// lineage and key.
    pub fn pack(&self, (plan, configuration): (Option<&dyn PlanText>, Option<&Snapshot>), onto: &State) -> Result<Planned, Error> {
        let path = &self.place();
        let sealed = configuration.map(|snapshot| snapshot::seal(snapshot, &onto.secret_key, &onto.lineage)).transpose();
        let configuration = sealed.map_err(|error| Error::NotOpened { path: path.clone(), why: error.to_string() })?;
        let plan = plan.map(|plan| |to: &mut dyn Write| plan.write(to));
        let plan = plan.as_ref().map(|write| write as WriteJson<'_>);
        packed(path, |to| revision_v1::write_planned(configuration.as_ref(), plan, to)).map(Planned)
    }

    pub(super) fn packed_head(&self, account: &Account<'_>, number: u64) -> Result<Vec<u8>, Error> {
        let head = HeadV1 {
            version: revision_v1::VERSION,
            meshplan_version: MESHPLAN_VERSION.to_owned(),
            number,
            time: utc(account.now),
            by: Holder::this_process(account.operation).owner,
            operation: account.operation.to_owned(),
            result: account.ending.into(),
            lineage: account.state.lineage.clone(),
            serial: account.state.serial,
            counts: account.counts.iter().filter(|(_, count)| **count > 0).map(|(name, count)| (name.clone(), *count)).collect(),
            digest: account.digest.clone(),
        };
        packed(&self.path(number), |to| revision_v1::write_head(&head, to))
    }

    /// A state without its key, which would open what is sealed beside it.
    pub(super) fn packed_state(&self, state: &State) -> Result<Vec<u8>, Error> {
        let kept = self.kept_text();
        let known = kept.as_deref().and_then(|text| state_v1::without_key(text, state.serial, &state.lineage));
        packed(&self.place(), |to| match known {
            Some(text) => state_v1::copy_as_line(text, to),
            None => self.store.files().write_keyless_state(state, to),
        })
    }

    /// The file of the state, if it is one, says all, and has its secrets as a revision would: to copy it takes a tenth of what it takes to
    /// write its records once more.
    fn kept_text(&self) -> Option<String> {
        if !self.is_local || self.store.seals() {
            return None;
        }
        let Kept { state, journal: None } = self.store.backend.read().ok()? else { return None };
        String::from_utf8(state?).ok()
    }
}

fn packed(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<(), NotStorable>) -> Result<Vec<u8>, Error> {
    let mut text = BufWriter::with_capacity(TOGETHER, GzEncoder::new(Vec::new(), Compression::fast()));
    write(&mut text).map_err(Error::not_storable(path))?;
    let packed = text.into_inner().map_err(IntoInnerError::into_error).and_then(GzEncoder::finish);
    packed.map_err(Error::io("pack", path))
}
