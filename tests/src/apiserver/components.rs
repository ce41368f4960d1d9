//! Where the programs are that tests run beside our own: those of a cluster, and a server of buckets.

use crate::required::Missing;
use crate::scenario::project;
use std::path::{Path, PathBuf};

/// The programs.
const PROGRAMS: [&str; 6] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "versitygw"];

/// A directory that holds the programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Components {
    directory: PathBuf,
}

impl Components {
    /// Finds them: where `KUBEBUILDER_ASSETS` says, else where `tests/real/assets.sh` leaves them; it completes a
    /// directory that lacks some, such as envtest's. What is not there is noted as missing.
    pub fn find(missing: &mut Missing) -> Option<Self> {
        let told = std::env::var_os("KUBEBUILDER_ASSETS").filter(|value| !value.is_empty()).map(PathBuf::from);
        let absent = |directory: &Path| PROGRAMS.into_iter().filter(|program| !directory.join(program).exists()).collect::<Vec<_>>();
        // Of a directory that lacks some the script makes a whole one.
        let mut directories: Vec<_> = told.into_iter().collect();
        if !directories.first().is_some_and(|directory| absent(directory).is_empty()) {
            directories.extend(made());
        }
        if let Some(whole) = directories.iter().position(|directory| absent(directory).is_empty()) {
            return Some(Self { directory: directories.swap_remove(whole) });
        }
        missing.note(directories.first().map_or_else(|| PROGRAMS.to_vec(), |directory| absent(directory)));
        None
    }

    /// The path of a program.
    pub fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The `kubectl` beside the programs, else the one in the `PATH`.
    pub fn kubectl(&self) -> PathBuf {
        Some(self.program("kubectl")).filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from("kubectl"))
    }
}

/// What the script made, which knows for itself whether it is whole and of today's versions. It builds nothing here.
fn made() -> Vec<PathBuf> {
    let told = std::process::Command::new("bash").arg(project().join("tests/real/assets.sh")).arg("--made").output();
    let told = told.ok().filter(|output| output.status.success()).map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    told.into_iter().filter(|path| !path.is_empty()).map(PathBuf::from).collect()
}
