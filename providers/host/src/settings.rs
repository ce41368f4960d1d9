//! The provider `host` as it is configured.

use crate::effect::Hands;
use crate::elevation::Elevation;
use crate::file::HostFile;
use crate::procedure::Procedure;
use crate::provider::HostProvider;
use crate::resolver::HostResolver;
use crate::vip::HostVip;
use engine::port::{Provider, ProviderMaker};
use engine::schema::{Attribute, Problem, ProviderSchema, Setting};
use engine::value::{Type, Value};
use std::path::PathBuf;
use std::sync::Arc;

/// Makes the provider `host`.
pub struct HostMaker {
    working_directory: PathBuf,
    program: PathBuf,
}

impl HostMaker {
    /// A maker for this machine, with what paths are relative to, and the program that `sudo` starts: it has to answer to [`crate::VERB`].
    pub fn new(working_directory: PathBuf, program: PathBuf) -> Self {
        Self { working_directory, program }
    }

    fn made(&self, hands: Hands) -> Vec<Arc<dyn Provider>> {
        let file = HostFile::new(self.working_directory.clone());
        let procedures: Vec<Box<dyn Procedure>> = vec![Box::new(file), Box::new(HostVip::default()), Box::new(HostResolver::default())];
        vec![Arc::new(HostProvider::new(procedures, hands))]
    }
}

impl ProviderMaker for HostMaker {
    fn schema(&self) -> ProviderSchema {
        let doc = "How an apply gets rights that the user has not: `sudo` lets `sudo -n` start meshplan once more as root, which does what a batch of \
            resources needs and tells how it ended. Nothing is asked for: plans tell whether `sudo` does so without a password, as for a user \
            with `me ALL=(root) NOPASSWD: /usr/local/bin/meshplan host-effects` in `/etc/sudoers`, which amounts to all rights.";
        let settings = vec![Setting::own(Attribute::optional("become", Type::String, doc))];
        ProviderSchema { name: "host", doc: "The machine that meshplan runs on.", settings }
    }

    fn usual(&self) -> Vec<Arc<dyn Provider>> {
        self.made(Hands::Own)
    }

    fn configured(&self, settings: &Value) -> Result<Vec<Arc<dyn Provider>>, Problem> {
        match settings.text("become") {
            None => Ok(self.usual()),
            Some("sudo") => Ok(self.made(Hands::Elevated(Elevation::sudo(self.program.clone())))),
            Some(other) => Err(Problem::with("become", "invalid setting", format!("`become` is `sudo`, and not `{other}`"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_way_to_more_rights() {
        let maker = HostMaker::new(PathBuf::from("/mesh"), PathBuf::from("/usr/bin/meshplan"));
        for (setting, expected) in
            [(Value::null(), None), (Value::string("sudo"), None), (Value::string("su"), Some("`become` is `sudo`, and not `su`"))]
        {
            let told = maker.configured(&Value::object([("become", setting)])).err().map(|problem| problem.detail);
            assert_eq!(told.as_deref(), expected);
        }
    }
}
