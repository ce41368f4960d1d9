//! States and entries of the journal with what is sensitive in them sealed, each value for its place.

use super::keyring::SealedBy;
use super::values::replaced;
use super::within::{Holder, each_in_entry, each_in_state};
use super::{SealError, SealingKey, sealed_with};
use crate::format::NotStorable;
use crate::format::sealing_v1::{read_inside, write_inside};
use aws_lc_rs::digest::{SHA256, digest};
use engine::state::{Entry, State};
use engine::value::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// Sealed texts by what they hold and where, so that what did not change keeps its text.
#[derive(Default)]
pub(super) struct Texts(Mutex<BTreeMap<Vec<u8>, String>>);

impl Texts {
    fn known(&self, associated: &[u8], plain: &[u8]) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&Self::name(associated, plain)).cloned()
    }

    fn remember(&self, associated: &[u8], plain: &[u8], text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(Self::name(associated, plain), text.to_owned());
    }

    fn name(associated: &[u8], plain: &[u8]) -> Vec<u8> {
        let length = (associated.len() as u64).to_be_bytes();
        let all = Zeroizing::new([&length, associated, plain].concat());
        digest(&SHA256, &all).as_ref().to_vec()
    }
}

/// Seals with one key what one state holds.
pub(super) struct Sealer<'a> {
    /// The key.
    pub(super) key: SealingKey,
    /// What was sealed or opened before.
    pub(super) texts: &'a Texts,
    /// The lineage of the state.
    pub(super) lineage: &'a str,
}

impl Sealer<'_> {
    /// The state's own key, sealed.
    pub(super) fn own_key(&self, secret_key: &[u8]) -> Result<String, NotStorable> {
        let text = self.sealed(secret_key, &Holder::State.associated(self.lineage, ""));
        text.map_err(|why| NotStorable { what: Holder::State.to_string(), why })
    }

    /// A state with everything sensitive in it sealed.
    pub(super) fn state(&self, state: &State) -> Result<State, NotStorable> {
        let mut sealed = state.clone();
        each_in_state(&mut sealed, &mut |holder, value| self.seal(holder, value))?;
        Ok(sealed)
    }

    /// An entry of the journal with everything sensitive in it sealed.
    pub(super) fn entry(&self, entry: &Entry) -> Result<Entry, NotStorable> {
        let mut sealed = entry.clone();
        each_in_entry(&mut sealed, &mut |holder, value| self.seal(holder, value))?;
        Ok(sealed)
    }

    fn seal(&self, holder: Holder<'_>, value: &mut Value) -> Result<(), NotStorable> {
        let seal = |part: &Value, path: &str| {
            let plain = Zeroizing::new(write_inside(part)?);
            let text = self.sealed(&plain, &holder.associated(self.lineage, path))?;
            Ok(Value::string(text).sensitive())
        };
        let sealed = match holder {
            Holder::Output(_, true) => seal(value, "."),
            _ => replaced(value, &mut |part, path| seal(part, path)),
        };
        *value = sealed.map_err(|why| NotStorable { what: holder.to_string(), why })?;
        Ok(())
    }

    fn sealed(&self, plain: &[u8], associated: &[u8]) -> Result<String, &'static str> {
        if let Some(text) = self.texts.known(associated, plain)
            && sealed_with(&text).as_ref() == Ok(self.key.id())
        {
            return Ok(text);
        }
        let text = self.key.seal(plain, associated).map_err(|_| "the system could not seal it")?;
        self.texts.remember(associated, plain, &text);
        Ok(text)
    }
}

/// Opens what one file holds.
pub(super) struct Opener<'a> {
    /// The key of the file, if it is at hand.
    pub(super) key: Option<SealingKey>,
    /// How the file names it.
    pub(super) sealed_by: &'a SealedBy,
    /// What was sealed or opened before.
    pub(super) texts: &'a Texts,
    /// The lineage of the state.
    pub(super) lineage: &'a str,
}

impl Opener<'_> {
    /// The state's own key, or nothing without the key to open it.
    pub(super) fn own_key(&self, text: &str) -> Result<Vec<u8>, String> {
        let opened = self.opened(Holder::State, "", text).map_err(|why| format!("{}: {why}", Holder::State))?;
        Ok(opened.map(|bytes| bytes.to_vec()).unwrap_or_default())
    }

    /// Opens everything in a state. Without the key what is sealed is blocked: it is there, and nobody can mistake it for a value.
    pub(super) fn state(&self, state: &mut State) -> Result<(), String> {
        each_in_state(state, &mut |holder, value| self.open(holder, value))
    }

    /// Opens everything in an entry of the journal, in the same way.
    pub(super) fn entry(&self, entry: &mut Entry) -> Result<(), String> {
        each_in_entry(entry, &mut |holder, value| self.open(holder, value))
    }

    fn open(&self, holder: Holder<'_>, value: &mut Value) -> Result<(), String> {
        let opened = replaced(value, &mut |part, path| {
            let text = part.as_str().ok_or_else(|| format!("`{path}` is not sealed, and what is sensitive in this file is"))?;
            match self.opened(holder, path, text).map_err(|why| format!("`{path}`: {why}"))? {
                Some(bytes) => read_inside(&bytes).map_err(|why| format!("`{path}`: {why}")),
                None => Ok(Value::blocked(format!("it is sealed with the key `{}`", self.sealed_by.key)).sensitive()),
            }
        });
        *value = opened.map_err(|why| format!("{holder}: {why}"))?;
        Ok(())
    }

    /// The bytes in a sealed text; nothing without the key.
    fn opened(&self, holder: Holder<'_>, path: &str, text: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SealError> {
        let named = sealed_with(text)?;
        if named != self.sealed_by.key {
            return Err(SealError::OtherKey { sealed_with: named, given: self.sealed_by.key.clone() });
        }
        let Some(key) = &self.key else { return Ok(None) };
        let associated = holder.associated(self.lineage, path);
        let plain = key.open(text, &associated)?;
        self.texts.remember(&associated, &plain, text);
        Ok(Some(plain))
    }
}
