//! The keys that the `encryption` block names, as far as they are there.

use crate::failure::Failure;
use crate::workplace::Workplace;
use engine::config::{Encryption, KeyFrom, KeyPlace, encryption};
use engine::diagnostic::{Diagnostic, Problems};
use serde_json::Value as Json;
use state::sealing::{KeySource, Keyring, SealingKey};
use state::{Error, Loaded, Store};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where keys are looked for.
pub(crate) struct Places<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) environment: &'a BTreeMap<String, String>,
}

/// Keys, and why others are not among them.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    pub(crate) keyring: Keyring,
    /// Whether what is written may be written with them: not if the key to seal with is not there.
    pub(crate) may_write: bool,
    pub(crate) absent: Problems,
}

impl Keys {
    /// The same keys to open with, and none to seal with.
    pub(crate) fn opening_only(self) -> Self {
        Self { keyring: self.keyring.opening_only(), may_write: true, ..self }
    }

    /// The keys of the configuration in the directory of a session.
    pub(crate) fn of(workplace: &Workplace) -> Self {
        let (sources, _) = modules::load(&workplace.directory, &workplace.shown_directory);
        let (block, problems) = encryption(&sources);
        let places = Places { directory: &workplace.directory, environment: &workplace.environment };
        let mut keys = block.map_or_else(Self::none, |block| Self::named(&block, &places));
        keys.may_write &= !problems.iter().any(Diagnostic::is_error);
        keys.absent.splice(0..0, problems);
        keys
    }

    fn none() -> Self {
        Self { may_write: true, ..Self::default() }
    }

    fn named(block: &Encryption, places: &Places<'_>) -> Self {
        let mut absent = Problems::new();
        let mut found = |from: &KeyFrom| source(from, places).map_err(|why| absent.push(why.problem().at(from.span))).ok();
        let first = found(&block.key);
        let fallbacks = block.fallbacks.iter().filter_map(&mut found).collect();
        let may_write = first.is_some();
        let keyring = Keyring::of(first, fallbacks);
        Self { keyring, may_write, absent }
    }
}

/// Why a key is not there.
struct Absent {
    detail: String,
    help: &'static str,
}

impl Absent {
    fn problem(self) -> Diagnostic {
        Diagnostic::error("encryption key not available", self.detail).help(self.help)
    }
}

/// The key or passphrase that a place holds.
fn source(from: &KeyFrom, places: &Places<'_>) -> Result<KeySource, Absent> {
    let unusable = |detail, help| Absent { detail, help };
    match &from.place {
        KeyPlace::File(name) => {
            const HELP: &str = "A key file holds 32 bytes or more in base64, as `openssl rand -base64 32` writes them.";
            let text = std::fs::read_to_string(path_of(name, places))
                .map_err(|error| unusable(format!("`{name}` cannot be read: {error}"), HELP))?;
            let key = SealingKey::from_base64(&text).map_err(|why| unusable(format!("`{name}` holds no key: {why}"), HELP))?;
            Ok(KeySource::Key(key))
        }
        KeyPlace::Passphrase(name) => {
            let value = places.environment.get(&**name).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| {
                unusable(format!("the environment variable `{name}` is not set"), "Set it to the passphrase that the state is sealed with.")
            })?;
            KeySource::passphrase(value).map_err(|why| {
                unusable(format!("the environment variable `{name}`: {why}"), "Choose a longer one, and keep it where it is not lost.")
            })
        }
    }
}

/// A `meshplan` block that names the key of a configuration from any directory; empty if that names none.
pub(crate) fn named_from_anywhere(workplace: &Workplace) -> String {
    let (sources, _) = modules::load(&workplace.directory, &workplace.shown_directory);
    let Some(block) = encryption(&sources).0 else { return String::new() };
    let places = Places { directory: &workplace.directory, environment: &workplace.environment };
    let (name, value) = match &block.key.place {
        KeyPlace::File(file) => ("key_file", path_of(file, &places).display().to_string()),
        KeyPlace::Passphrase(variable) => ("passphrase_env", variable.to_string()),
    };
    let quoted = Json::from(value).to_string().replace("${", "$${").replace("%{", "%%{");
    format!("meshplan {{\n  encryption {{\n    {name} = {quoted}\n  }}\n}}\n")
}

/// A path as written: below the configuration's directory, or below the home directory if it begins with `~/`.
fn path_of(name: &str, places: &Places<'_>) -> PathBuf {
    let home = places.environment.get("HOME").filter(|home| !home.is_empty());
    match (name.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => places.directory.join(name),
    }
}

/// A store with the keys of the configuration, and what is wrong with them.
pub(crate) struct Keyed {
    pub(crate) store: Store,
    may_write: bool,
    absent: Problems,
}

impl Keyed {
    /// A store that opens and seals with these keys.
    pub(crate) fn new(store: Store, keys: Keys) -> Self {
        Self { store: store.with_keys(keys.keyring), may_write: keys.may_write, absent: keys.absent }
    }

    /// Refuses to write without the key to seal with.
    pub(crate) fn for_writing(&self) -> Result<&Store, Failure> {
        if self.may_write { Ok(&self.store) } else { Err(Failure(self.absent.clone())) }
    }

    /// A store that seals with the key of the configuration, which must name one.
    pub(crate) fn sealing(&self) -> Result<Store, Failure> {
        let store = self.for_writing()?;
        if store.seals() {
            return Ok(store.clone());
        }
        let failure = Failure::one("no encryption key", "the configuration has no `encryption` block to seal with");
        Err(failure.help("Add `meshplan { encryption { key_file = \"…\" } }`; `--unseal` writes secrets in the clear."))
    }

    /// Refuses what could not be opened as a whole.
    pub(crate) fn whole(&self, loaded: &Loaded) -> Result<(), Failure> {
        let Some(sealed_with) = &loaded.sealed_with else { return Ok(()) };
        let mut problems = self.absent.clone();
        problems.push(Error::sealed(self.store.path(), sealed_with.clone()).into());
        Err(Failure(problems))
    }
}
