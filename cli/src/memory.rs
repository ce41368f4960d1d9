//! What is remembered between runs: where it is kept, with which keys, and under whose lock.

use crate::backend;
use crate::encryption::{Keyed, Keys};
use crate::failure::Failure;
use crate::session::Session;
use engine::port::Guard;
use engine::state::State;
use state::{Loaded, Store};
use std::time::Duration;

impl Session {
    /// What is remembered, with the journal counted in. Takes no lock and writes nothing. Refused if a key is missing to open it.
    pub(crate) fn remembered(&mut self) -> Result<State, Failure> {
        let loaded = self.loaded()?;
        if loaded.sealed_with.is_some() {
            self.keyed().whole(&loaded)?;
        }
        Ok(loaded.state)
    }

    /// The same with what is sealed blocked, and that said, if a key is missing: for commands that show what else there is.
    pub(crate) fn remembered_in_part(&mut self) -> Result<State, Failure> {
        let loaded = self.loaded()?;
        if let Some(key) = &loaded.sealed_with {
            self.view.say(&format!("note: the state is sealed with the key `{key}`, which is not at hand: its secrets stay closed"));
        }
        Ok(loaded.state)
    }

    /// The same for a plan that is only looked at.
    pub(crate) fn remembered_to_plan(&mut self) -> Result<State, Failure> {
        let loaded = self.loaded()?;
        if let Some(key) = &loaded.sealed_with {
            self.view.say(&format!(
                "note: the state is sealed with the key `{key}`, which is not at hand: its secrets stay closed, what needs them is not \
                 planned, and the digest of this plan approves nothing"
            ));
        }
        Ok(loaded.state)
    }

    fn loaded(&mut self) -> Result<Loaded, Failure> {
        let loaded = self.store().read()?;
        for notice in &loaded.notices {
            self.view.say(&format!("note: {notice}"));
        }
        Ok(loaded)
    }

    /// The state's own key.
    pub(crate) fn secret_key(&self) -> Result<Vec<u8>, Failure> {
        let loaded = self.store().read()?;
        if loaded.sealed_with.is_some() {
            self.keyed().whole(&loaded)?;
        }
        Ok(loaded.state.secret_key)
    }

    /// The text of the state, with the journal counted in. Without a key that is missing to open it as it is kept, which an unfinished apply
    /// forbids.
    pub(crate) fn text(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let loaded = self.loaded()?;
        if loaded.state.serial == 0 && loaded.state.is_empty() {
            return Ok(None);
        }
        let store = self.store();
        match store.kept_text()? {
            Some(text) if loaded.sealed_with.is_some() => Ok(Some(text)),
            _ => {
                self.keyed().whole(&loaded)?;
                Ok(Some(store.text_of(&loaded.state)?))
            }
        }
    }

    /// The lock and what is remembered.
    pub(crate) fn lock(&mut self, operation: &str, timeout: Duration) -> Result<(Box<dyn Guard>, State), Failure> {
        self.keyed().for_writing()?;
        let store = self.store();
        self.lock_store(&store, operation, timeout)
    }

    /// The lock of this store and what it remembers.
    pub(crate) fn lock_store(&mut self, store: &Store, operation: &str, timeout: Duration) -> Result<(Box<dyn Guard>, State), Failure> {
        let (locked, loaded) = store.lock(operation, timeout)?;
        backend::remember(&self.workplace)?;
        self.says_unsealed = loaded.says_unsealed;
        for notice in &loaded.notices {
            self.view.say(&format!("note: {notice}"));
        }
        Ok(((self.guard)(Box::new(locked)), loaded.state))
    }

    /// The state, wherever it is kept.
    pub(crate) fn store(&self) -> Store {
        let store = &self.keyed().store;
        if self.workplace.is_tested() { store.kept_on(backend::choose(&self.workplace)) } else { store.clone() }
    }

    /// The state's files; refused if the configuration names a key to seal with and it is not there.
    pub(crate) fn writable(&self) -> Result<Store, Failure> {
        self.keyed().for_writing().cloned()
    }

    /// The state's files, with a key to seal with.
    pub(crate) fn sealing(&self) -> Result<Store, Failure> {
        self.keyed().sealing()
    }

    /// Another store, with the same keys.
    pub(crate) fn with_keys(&self, store: Store) -> Result<Store, Failure> {
        Keyed::new(store, Keys::of(&self.workplace)).for_writing().cloned()
    }

    /// The state's files, opened with the same keys and written in the clear.
    pub(crate) fn unsealing(&self) -> Result<Store, Failure> {
        Keyed::new(self.unkeyed(), Keys::of(&self.workplace).opening_only()).for_writing().cloned()
    }

    /// The same without keys.
    pub(crate) fn unkeyed(&self) -> Store {
        if self.workplace.is_tested() {
            return Store::on(backend::choose(&self.workplace));
        }
        Store::on(self.backend.get_or_init(|| backend::choose(&self.workplace)).clone())
    }

    fn keyed(&self) -> &Keyed {
        self.keyed.get_or_init(|| Keyed::new(self.unkeyed(), Keys::of(&self.workplace)))
    }
}
