//! `--backend-config`.

use std::str::FromStr;

/// An argument of the `backend` block that is given on the command line. Nothing shows its text: it may be a credential.
#[derive(Clone, PartialEq, Eq)]
pub struct BackendArgument {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl std::fmt::Debug for BackendArgument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("BackendArgument").field(&self.name).finish()
    }
}

impl FromStr for BackendArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, text)) if !name.trim().is_empty() => Ok(Self { name: name.trim().to_owned(), text: text.to_owned() }),
            _ => Err("expected a name and a text, as in `bucket=mesh`".to_owned()),
        }
    }
}
