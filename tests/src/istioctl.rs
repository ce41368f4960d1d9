//! The real `istioctl`.

use crate::required::Missing;
use crate::scenario::project;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program that `tests/real/istio.sh` built.
#[derive(Debug, Clone)]
pub struct Istioctl(PathBuf);

impl Istioctl {
    /// Finds it; nothing where it is not built, which is said. It builds nothing here.
    pub fn find() -> Option<Self> {
        let told = Command::new("bash").arg(project().join("tests/real/istio.sh")).arg("--made").output().ok();
        let told = told.filter(|output| output.status.success()).map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        let found = told.filter(|directory| !directory.is_empty()).map(|directory| Self(Path::new(&directory).join("istioctl")));
        if found.is_none() {
            let mut missing = Missing::default();
            missing.note(["what tests/real/istio.sh makes"]);
            missing.close();
        }
        found
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Another program that the script built, beside it.
    pub fn beside(&self, program: &str) -> PathBuf {
        self.0.with_file_name(program)
    }

    /// Runs it without a kubeconfig but what the arguments name.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.0);
        command.args(arguments).env_remove("KUBECONFIG").env("HOME", "/nonexistent").output().unwrap()
    }

    /// Runs it, which must succeed; what it prints.
    pub fn tell(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "istioctl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}
