//! The addresses that a run is aimed at, from the command line and from files.

use crate::args::{Aiming, Manner};
use crate::failure::Failure;
use engine::address::Address;
use engine::config::Subject;
use engine::plan::Aims;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What a run is aimed at. Files are relative to the working directory.
pub(crate) fn gather(directory: &Path, aiming: &Aiming, manner: &Manner) -> Result<Aims, Failure> {
    Ok(Aims {
        targets: subjects(directory, &aiming.target, &aiming.target_file)?,
        excludes: subjects(directory, &aiming.exclude, &aiming.exclude_file)?,
        replace: manner.replace.iter().map(|text| address::<Address>(text, "--replace")).collect::<Result<_, _>>()?,
        abandon: aiming.abandon.iter().map(|text| address::<Address>(text, "--abandon")).collect::<Result<_, _>>()?,
        refresh_only: manner.refresh_only,
    })
}

fn subjects(directory: &Path, typed: &[String], files: &[PathBuf]) -> Result<Vec<Subject>, Failure> {
    let mut subjects: Vec<Subject> = typed.iter().map(|text| address(text, "the command line")).collect::<Result<_, _>>()?;
    for file in files {
        let text = std::fs::read_to_string(directory.join(file))
            .map_err(|error| Failure::one("file of addresses not readable", format!("`{}`: {error}", file.display())))?;
        for (nth, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                subjects.push(address(line, &format!("`{}`, line {}", file.display(), nth + 1))?);
            }
        }
    }
    Ok(subjects)
}

fn address<A: FromStr<Err: Display>>(text: &str, at: &str) -> Result<A, Failure> {
    text.parse().map_err(|error: A::Err| {
        let help = "Write it as in `kubernetes_namespace.shop`, `module.mesh`, or `module.mesh[\"eu\"].istio_operator.east`.";
        Failure::one("not an address", format!("{at}: {error}")).help(help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_hold_one_address_a_line() {
        let directory = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(directory.path().join("list"), text).unwrap();
        let replacing = |address: &str| Manner { replace: vec![address.to_owned()], refresh_only: false };
        write("# first\n\n  k.a[\"x # y\"]  \nmodule.m\n");
        let aiming = Aiming { target: vec!["k.b".to_owned()], target_file: vec!["list".into()], ..Aiming::default() };
        let aims = gather(directory.path(), &aiming, &replacing("k.c[0]")).unwrap();
        assert_eq!(aims.targets.iter().map(ToString::to_string).collect::<Vec<_>>(), ["k.b", "k.a[\"x # y\"]", "module.m"]);
        assert_eq!((aims.excludes.len(), aims.replace.len()), (0, 1));
        write("k.a\nk\n");
        let failure = gather(directory.path(), &aiming, &Manner::default()).unwrap_err();
        assert!(failure.0[0].detail.starts_with("`list`, line 2: `k` is no address"), "{failure:?}");
        assert!(gather(directory.path(), &Aiming { exclude_file: vec!["none".into()], ..Aiming::default() }, &Manner::default()).is_err());
        assert!(gather(directory.path(), &Aiming::default(), &replacing("module.m")).is_err(), "only instances are replaced");
    }
}
