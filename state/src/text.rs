//! The state as a text that leaves its store and comes back.

use crate::error::Error;
use crate::format::state_v1;
use engine::state::State;
use std::path::Path;

/// The text of a state, as the state file has it: with its lineage, its serial, its key and every secret.
pub fn to_text(state: &State) -> Result<Vec<u8>, Error> {
    let written = state_v1::write(state, state.serial, &state.lineage, &state.secret_key);
    written.map_err(Error::not_storable(Path::new("standard output")))
}

/// The state that a text holds; `path` is what it is called in errors.
pub fn from_text(path: &Path, text: &str) -> Result<State, Error> {
    let help = "give a file that `meshplan state pull` wrote".to_owned();
    state_v1::read(text).map_err(Error::unreadable(path, state_v1::VERSION, help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::state_of_everything;

    #[test]
    fn what_leaves_comes_back() {
        let state = state_of_everything();
        let text = String::from_utf8(to_text(&state).unwrap()).unwrap();
        assert_eq!(from_text(Path::new("f"), &text).unwrap(), state);
        for (from, to, why) in [
            ("\"version\": 1", "\"version\": 9", "`f` has version 9 of its format, written by meshplan"),
            ("{\n", "", "`f` cannot be read: line 1"),
        ] {
            let error = from_text(Path::new("f"), &text.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().starts_with(why), "{error}");
        }
    }
}
