//! The state as a text that leaves its store and comes back.

use crate::backend::Kept;
use crate::error::Error;
use crate::format::state_v1;
use crate::sealing::Opened;
use crate::store::Store;
use engine::state::State;
use std::path::Path;

impl Store {
    /// The text of a state, as the state file has it: with its lineage, its serial, its key and every secret, sealed if this store seals.
    pub fn text_of(&self, state: &State) -> Result<Vec<u8>, Error> {
        let written = self.files().write_state(state, state.serial, &state.lineage, &state.secret_key);
        written.map_err(Error::not_storable(Path::new("standard output")))
    }

    /// The text of the state as it is kept, for which no key is needed; nothing without a state, or while a journal adds to it.
    pub fn kept_text(&self) -> Result<Option<Vec<u8>>, Error> {
        let Kept { state, journal } = self.backend.read()?;
        Ok(state.filter(|_| journal.is_none()))
    }

    /// The state that a text holds, opened with the keys of this store; `path` is what it is called in errors.
    pub fn state_in(&self, path: &Path, text: &str) -> Result<State, Error> {
        let help = "give a file that `meshplan state pull` wrote".to_owned();
        let Opened { content, sealed_with } = self.files().read_state(text).map_err(Error::unreadable(path, state_v1::VERSION, help))?;
        match sealed_with {
            Some(sealed_with) => Err(Error::sealed(path, sealed_with)),
            None => Ok(content),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::state_of_everything;
    use crate::sealing::{KeySource, Keyring, SealingKey};

    #[test]
    fn what_leaves_comes_back() {
        let (state, store) = (state_of_everything(), Store::new("s"));
        let text = String::from_utf8(store.text_of(&state).unwrap()).unwrap();
        assert_eq!(store.state_in(Path::new("f"), &text).unwrap(), state);
        for (from, to, why) in [
            ("\"version\": 1", "\"version\": 9", "`f` has version 9 of its format, written by meshplan"),
            ("{\n", "", "`f` cannot be read: line 1"),
        ] {
            let error = store.state_in(Path::new("f"), &text.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().starts_with(why), "{error}");
        }
    }

    #[test]
    fn what_leaves_sealed_comes_back_with_the_key_alone() {
        let sealing = || Store::new("s").with_keys(Keyring::new(KeySource::Key(SealingKey::from_bytes(&[1; 32]).unwrap()), vec![]));
        let state = state_of_everything();
        let text = String::from_utf8(sealing().text_of(&state).unwrap()).unwrap();
        assert!(!text.contains("s3cret"), "{text}");
        assert_eq!(sealing().state_in(Path::new("f"), &text).unwrap(), state);
        let error = Store::new("s").state_in(Path::new("f"), &text).unwrap_err();
        assert!(matches!(error, Error::Sealed { .. }), "{error}");
    }
}
