//! Images of programs of this machine, and the network that an Engine is in.

use super::{Engine, program};
use crate::namespace::Namespace;
use std::path::{Path, PathBuf};
use std::process::Command;

impl Engine {
    /// Makes an image of a program in the `PATH`, with what it is linked with, beside all that [`super::IMAGE`] has.
    pub fn import_program(&self, name: &str, image: &str) {
        let directory = tempfile::tempdir().unwrap();
        let (root, tarball) = (directory.path().join("root"), directory.path().join("root.tar"));
        let succeeds = |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
        succeeds(Command::new("cp").arg("-a").arg(self.root()).arg(&root));
        // Servers go over to this user once they listen.
        std::fs::write(root.join("etc/passwd"), "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n").unwrap();
        let file = program(name);
        let place = root.join("usr/sbin");
        std::fs::create_dir_all(&place).unwrap();
        std::fs::copy(&file, place.join(name)).unwrap();
        for library in libraries(&file) {
            let place = root.join(library.strip_prefix("/").unwrap());
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::copy(&library, place).unwrap();
        }
        succeeds(Command::new("tar").arg("-cf").arg(&tarball).arg("-C").arg(&root).arg("."));
        self.docker(&["import", &tarball.display().to_string(), image]);
    }

    /// Mounts of a test's own in the network that the Engine is in, where its published ports are; see [`Namespace::new`].
    pub fn network(&self, setup: &str) -> Namespace {
        let socket = self.host();
        let processes = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let is_engine = |process: &u32| {
            let command = std::fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
            let mut words = command.split('\0');
            words.next().is_some_and(|first| first.ends_with("dockerd")) && words.any(|word| word == socket)
        };
        let mut engines = processes.filter(is_engine);
        Namespace::in_network_of(engines.next().unwrap(), setup)
    }
}

/// The files that a program is linked with, its loader among them.
fn libraries(file: &Path) -> Vec<PathBuf> {
    let listed = Command::new("ldd").arg(file).output().unwrap();
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let paths = text.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    paths.map(PathBuf::from).collect()
}
