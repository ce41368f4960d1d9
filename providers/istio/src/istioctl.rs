//! Running `istioctl`, which renders manifests from charts of its own version, and reaches nothing for that.

use crate::version::Minor;
use engine::diagnostic::Diagnostic;
use engine::question::Answer;
use engine::schema::Problem;
use engine::value::Value;
use kubernetes::Json;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::{Mutex, Semaphore};

/// Longest run. One takes about a second.
const LONGEST: Duration = Duration::from_mins(1);
/// How many run at once.
const AT_ONCE: usize = 4;
/// How much of what it says is told when it fails, in bytes.
const TOLD: usize = 4000;

/// Where programs are found.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The environment of meshplan, of which `PATH` and `HOME` count.
    pub environment: BTreeMap<String, String>,
    /// What relative paths start from.
    pub working_directory: PathBuf,
}

/// Where programs are, as settings say it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Programs {
    /// The one for every version that has none of its own.
    usual: Option<String>,
    by_minor: BTreeMap<Minor, String>,
}

impl Programs {
    /// What `istioctl` and `istioctls` of a provider's settings say.
    pub(crate) fn of(settings: &Value) -> Result<Self, Problem> {
        let mut by_minor = BTreeMap::new();
        for entry in settings.present("istioctls").map(Value::entries).unwrap_or_default() {
            let Some(minor) = Minor::of(&entry.key).filter(|minor| *entry.key == minor.to_string()) else {
                let detail = format!("`istioctls` names programs by minor versions of Istio, such as `1.30`, and `{}` is none", entry.key);
                return Err(Problem::with("istioctls", "invalid value", detail));
            };
            by_minor.extend(entry.value.as_str().map(|path| (minor, path.to_owned())));
        }
        Ok(Self { usual: settings.text("istioctl").map(str::to_owned), by_minor })
    }
}

/// A program, where it was found, and the version that it tells.
type Found = (PathBuf, String);

/// The program, or several of different versions.
pub(crate) struct Istioctl {
    surroundings: Surroundings,
    programs: Programs,
    longest: Duration,
    turns: Semaphore,
    /// What was found, by the minor version that it is for.
    found: Mutex<BTreeMap<Option<Minor>, Found>>,
}

impl Istioctl {
    /// The programs that settings name, or those in `PATH`.
    pub(crate) fn new(surroundings: Surroundings, programs: &Programs) -> Self {
        let (programs, found) = (programs.clone(), Mutex::default());
        Self { surroundings, programs, longest: LONGEST, turns: Semaphore::new(AT_ONCE), found }
    }

    /// What an `IstioOperator` comes to: an object with `content`, the YAML text that `istioctl manifest generate` prints, and `remarks`, what it says
    /// beside it.
    pub(crate) async fn answer(&self, resource: &Value) -> Answer {
        match self.rendered(resource).await {
            Ok(rendered) => Answer::Present(rendered),
            Err(problem) => Answer::Refused(*problem),
        }
    }

    async fn rendered(&self, resource: &Value) -> Result<Value, Box<Diagnostic>> {
        let Ok(json) = resource.to_json() else {
            return Err(failed("what is to be rendered is not wholly known").into());
        };
        let tag = json.pointer("/spec/tag").and_then(Json::as_str);
        let (program, version) = self.program(tag).await?;
        let program = &program;
        fits(program, &version, tag)?;
        // The semaphore is never closed; without a turn it runs all the same.
        let _turn = self.turns.acquire().await.ok();
        // YAML holds all JSON.
        let output = self.run(program, &["manifest", "generate", "--filename", "-"], json.to_string()).await?;
        let said = shown(&output.stderr);
        if !output.status.success() {
            let how = output.status.code().map_or_else(|| "was ended by a signal".to_owned(), |code| format!("ended with {code}"));
            let detail =
                format!("`{} manifest generate` {how}: {}", program.display(), if said.is_empty() { "it said nothing" } else { &said });
            return Err(failed(detail).into());
        }
        let Ok(content) = String::from_utf8(output.stdout) else {
            let detail = format!("what `{} manifest generate` prints is no UTF-8", program.display());
            return Err(failed(detail).into());
        };
        let remarks = if said.is_empty() { Vec::new() } else { vec![Value::string(format!("`{}` says: {said}", program.display()))] };
        Ok(Value::object([("content", Value::string(content)), ("remarks", Value::tuple(remarks))]))
    }

    /// The program for a tag: looked for once.
    async fn program(&self, tag: Option<&str>) -> Result<Found, Box<Diagnostic>> {
        let minor = tag.and_then(Minor::of);
        let mut found = self.found.lock().await;
        if let Some(known) = found.get(&minor) {
            return Ok(known.clone());
        }
        let program = self.find(minor, tag).await?;
        found.insert(minor, program.clone());
        Ok(program)
    }

    /// The program, and what it says of its version.
    async fn find(&self, minor: Option<Minor>, tag: Option<&str>) -> Result<Found, Box<Diagnostic>> {
        let named = minor.and_then(|minor| self.programs.by_minor.get(&minor)).or(self.programs.usual.as_ref());
        let named = named.map(|path| self.surroundings.working_directory.join(path));
        let program = match named {
            Some(named) if is_program(&named) => named,
            Some(named) => {
                let detail = format!("the provider `istio` names `{}`, and no program is there", named.display());
                return Err(missing(detail, tag).into());
            }
            None => self.in_path(minor).ok_or_else(|| {
                let detail = "the installer `istioctl` renders what it installs with `istioctl`, which is not in the `PATH`";
                missing(detail, tag)
            })?,
        };
        let output = self.run(&program, &["version", "--remote=false", "--output", "json"], String::new()).await?;
        let told: Option<Json> = serde_json::from_slice(&output.stdout).ok();
        let version = told.as_ref().and_then(|told| told.pointer("/clientVersion/version")).and_then(Json::as_str);
        let Some(version) = version else {
            let said = if output.stdout.is_empty() { shown(&output.stderr) } else { shown(&output.stdout) };
            let detail = format!("`{} version --remote=false --output json` tells no version: `{said}`", program.display());
            return Err(failed(detail).into());
        };
        Ok((program, version.to_owned()))
    }

    /// `istioctl-1.30` for that minor version, else `istioctl`.
    fn in_path(&self, minor: Option<Minor>) -> Option<PathBuf> {
        let path = self.surroundings.environment.get("PATH")?;
        let directories: Vec<_> =
            std::env::split_paths(path).map(|directory| self.surroundings.working_directory.join(directory)).collect();
        let names = minor.map(|minor| format!("istioctl-{minor}")).into_iter().chain(["istioctl".to_owned()]);
        let mut files = names.flat_map(|name| directories.iter().map(move |directory| directory.join(&name)));
        files.find(|file| is_program(file))
    }

    async fn run(&self, program: &Path, arguments: &[&str], input: String) -> Result<Output, Box<Diagnostic>> {
        let not_run = |error: io::Error| failed(format!("`{}` cannot be run: {error}", program.display()));
        let nowhere = tempfile::tempdir().map_err(not_run)?;
        let variables = self.surroundings.environment.iter().filter(|(name, _)| matches!(name.as_str(), "HOME" | "PATH"));
        let mut command = std::process::Command::new(program);
        command.args(arguments).env_clear().envs(variables).current_dir(nowhere.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C is meshplan's: what was begun is ended in order.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = Command::from(command).kill_on_drop(true).spawn().map_err(not_run)?;
        let stdin = child.stdin.take();
        let give = async move {
            if let Some(mut stdin) = stdin {
                // What does not read to the end says why.
                stdin.write_all(input.as_bytes()).await.ok();
            }
        };
        let run = async { tokio::join!(give, child.wait_with_output()).1 };
        let Ok(ended) = tokio::time::timeout(self.longest, run).await else {
            let detail = format!("`{} {}` has not ended within {} s", program.display(), arguments.join(" "), self.longest.as_secs());
            return Err(failed(detail).into());
        };
        Ok(ended.map_err(not_run)?)
    }
}

fn failed(detail: impl Into<String>) -> Diagnostic {
    Diagnostic::error("istioctl failed", detail)
}

fn missing(detail: impl Into<String>, tag: Option<&str>) -> Diagnostic {
    Diagnostic::error("istioctl not found", detail).help(get(tag))
}

/// Whether the program's version renders what a tag says.
fn fits(program: &Path, version: &str, tag: Option<&str>) -> Result<(), Box<Diagnostic>> {
    let Some((tag, wanted)) = tag.and_then(|tag| Some((tag, Minor::of(tag)?))) else { return Ok(()) };
    if Minor::of(version) == Some(wanted) {
        return Ok(());
    }
    let detail = format!(
        "`{}` is version `{version}` and renders what that version installs, and `tag` is `{tag}`; the two have to be of one minor version",
        program.display()
    );
    Err(Box::new(Diagnostic::error("istioctl of another version", detail).help(get(Some(tag)))))
}

/// How to get the right one.
fn get(tag: Option<&str>) -> String {
    let released = tag.filter(|tag| Minor::of(tag).is_some());
    let release = released.map(|tag| tag.trim_start_matches('v').split('-').next().unwrap_or_default());
    let from = match release {
        Some(release) => format!("`istioctl` {release} from https://github.com/istio/istio/releases/tag/{release}"),
        None => "`istioctl` of the version that is to be installed from https://github.com/istio/istio/releases".to_owned(),
    };
    format!(
        "Get {from}, and put it into the `PATH` or name it: `provider \"istio\" {{ istioctl = \"/path/to/istioctl\" }}`, or \
             `istioctls` for several versions."
    )
}

/// The end of what it said.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    let start = (text.len().saturating_sub(TOLD)..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    text.get(start..).unwrap_or_default().to_owned()
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    /// A program that plays istioctl of version 1.30.2, and otherwise does this.
    fn played(script: &str) -> (tempfile::TempDir, Istioctl) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("istioctl");
        let version = r#"if [ "$1" = version ]; then echo '{"clientVersion":{"version":"1.30.2"}}'; exit; fi"#;
        fs::write(&file, format!("#!/bin/sh\n{version}\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/bin:/bin", directory.path().display());
        let variables = [("PATH", path.as_str()), ("KUBECONFIG", "/mine"), ("ISTIOCONFIG", "x"), ("HOME", "/me")];
        let environment = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let surroundings = Surroundings { environment, working_directory: directory.path().to_owned() };
        (directory, Istioctl::new(surroundings, &Programs::default()))
    }

    fn named(path: &str) -> Programs {
        Programs { usual: Some(path.to_owned()), ..Programs::default() }
    }

    fn resource(tag: &str) -> Value {
        Value::from_json(&json!({ "kind": "IstioOperator", "spec": { "tag": tag } }))
    }

    async fn refused(istioctl: &Istioctl, tag: &str) -> Diagnostic {
        match istioctl.answer(&resource(tag)).await {
            Answer::Refused(problem) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn it_gets_the_resource_and_a_clean_environment() {
        let script = r#"echo "arguments: $*"; echo "input: $(cat)"; env | grep -v PWD= | sort; pwd; echo careful >&2"#;
        let (directory, istioctl) = played(script);
        let Answer::Present(rendered) = istioctl.answer(&resource("1.30.9")).await else { panic!("refused") };
        let content = rendered.text("content").unwrap();
        let lines: Vec<_> = content.lines().collect();
        assert_eq!(lines[0], "arguments: manifest generate --filename -");
        assert_eq!(lines[1], r#"input: {"kind":"IstioOperator","spec":{"tag":"1.30.9"}}"#);
        assert_eq!(lines[2], "HOME=/me");
        assert!(!content.contains("KUBECONFIG") && !content.contains("ISTIOCONFIG"), "{content}");
        assert_ne!(*lines.last().unwrap(), directory.path().display().to_string());
        let remark = rendered.get("remarks").unwrap().items()[0].as_str().unwrap().to_owned();
        assert!(remark.ends_with("says: careful"), "{remark}");
    }

    #[tokio::test]
    async fn the_minor_version_has_to_be_that_of_the_tag() {
        let (_directory, istioctl) = played("echo ok");
        for (tag, fits) in [("1.30.0", true), ("1.30-alpha", true), ("latest", true), ("1.29.2", false), ("1.31.0-distroless", false)] {
            let answer = istioctl.answer(&resource(tag)).await;
            assert_eq!(matches!(answer, Answer::Present(_)), fits, "{tag}");
        }
        let problem = refused(&istioctl, "1.31.0-distroless").await;
        assert_eq!(problem.summary, "istioctl of another version");
        assert!(problem.help.unwrap().contains("`istioctl` 1.31.0 from"));
    }

    #[tokio::test]
    async fn what_fails_or_lasts_is_told() {
        let (_directory, istioctl) = played("echo 'Error: no such profile' >&2; exit 3");
        let problem = refused(&istioctl, "1.30.0").await;
        assert!(problem.summary == "istioctl failed" && problem.detail.ends_with("ended with 3: Error: no such profile"), "{problem:?}");
        let (directory, mut istioctl) = played("echo $$ >pid-of-it; cp pid-of-it \"$(dirname \"$0\")/pid\"; exec sleep 1000");
        istioctl.longest = Duration::from_secs(1);
        let problem = refused(&istioctl, "1.30.0").await;
        assert!(problem.detail.ends_with("has not ended within 1 s"), "{problem:?}");
        let pid = fs::read_to_string(directory.path().join("pid")).unwrap();
        let state = || fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        for _ in 0..100 {
            if state().is_empty() || state().contains(") Z ") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it still runs: {}", state());
    }

    #[tokio::test]
    async fn what_is_missing_is_told_with_where_to_get_it() {
        let (directory, _) = played("");
        let surroundings = Surroundings { working_directory: directory.path().to_owned(), ..Surroundings::default() };
        let problem = refused(&Istioctl::new(surroundings.clone(), &Programs::default()), "1.30.2").await;
        assert_eq!(problem.summary, "istioctl not found");
        assert!(problem.help.unwrap().contains("releases/tag/1.30.2"));
        let problem = refused(&Istioctl::new(surroundings.clone(), &named("bin/istioctl")), "latest").await;
        assert!(problem.detail.contains("bin/istioctl`, and no program is there"), "{problem:?}");
        let found = Istioctl::new(surroundings, &named("istioctl")).answer(&resource("1.30.2")).await;
        assert!(matches!(found, Answer::Present(_)));
    }

    #[tokio::test]
    async fn each_version_has_its_program_where_there_is_one() {
        let (directory, istioctl) = played("echo usual");
        let other = |name: &str| {
            let version = r#"if [ "$1" = version ]; then echo '{"clientVersion":{"version":"1.31.0"}}'; exit; fi"#;
            let file = directory.path().join(name);
            fs::write(&file, format!("#!/bin/sh\n{version}\necho {name}\n")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        };
        other("istioctl-1.31");
        other("newer");
        let settings = Value::from_json(&json!({ "istioctl": null, "istioctls": { "1.31": "newer" } }));
        let by_minor = Istioctl::new(istioctl.surroundings.clone(), &Programs::of(&settings).unwrap());
        for (istioctl, tag, expected) in [
            (&istioctl, "1.30.2", "usual"),
            (&istioctl, "1.31.4", "istioctl-1.31"),
            (&by_minor, "1.31.4", "newer"),
            (&by_minor, "1.30.0", "usual"),
        ] {
            let Answer::Present(rendered) = istioctl.answer(&resource(tag)).await else { panic!("{tag}") };
            assert_eq!(rendered.text("content").map(str::trim), Some(expected), "{tag}");
        }
        for minor in ["1.31.0", "latest", "v1.31"] {
            let settings = Value::from_json(&json!({ "istioctls": { minor: "newer" } }));
            assert!(Programs::of(&settings).is_err_and(|problem| problem.detail.ends_with(&format!("and `{minor}` is none"))));
        }
    }

    #[tokio::test]
    async fn what_tells_no_version_is_not_trusted() {
        let (directory, istioctl) = played("");
        fs::write(directory.path().join("istioctl"), "#!/bin/sh\necho nonsense\n").unwrap();
        let problem = refused(&istioctl, "1.30.2").await;
        assert!(problem.detail.ends_with("tells no version: `nonsense`"), "{problem:?}");
    }
}
