//! The processes of one cluster, or of another server, which outlive this one in no case: a shell keeps them, and takes them away when its input ends, be it
//! that their owner was dropped, that the test binary ended, or that it was killed.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

/// How long processes are kept after the last word from their owner.
const PATIENCE: Duration = Duration::from_mins(45);

/// Reads a verb and a name a line, answers a word. With the end of its input, or of its patience, everything is killed and removed.
const KEEPER: &str = r#"
cd "$1" || exit 1
declare -A kept
end() {
    [ -n "${kept[$1]:-}" ] || return 0
    kill -KILL "${kept[$1]}" 2>/dev/null
    wait "${kept[$1]}" 2>/dev/null
    unset "kept[$1]"
}
while read -r -t "$2" verb name; do
    answer=done
    case $verb in
        start) bash "./$name.command" >>"$name.log" 2>&1 </dev/null & kept[$name]=$! ;;
        stop) end "$name" ;;
        pause) kill -STOP "${kept[$name]}" || answer=failed ;;
        resume) kill -CONT "${kept[$name]}" || answer=failed ;;
        look) kill -0 "${kept[$name]:-none}" || answer=gone ;;
    esac
    echo "$answer"
done
for name in "${!kept[@]}"; do end "$name"; done
cd / && rm -rf "$1"
"#;

/// A directory with processes that run in it.
pub(crate) struct Keeper {
    directory: PathBuf,
    shell: Child,
    // Nothing once it is told to end.
    line: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
}

impl Keeper {
    /// Keeps processes in a fresh directory, which goes away with them.
    pub(crate) fn new(name: &str) -> Self {
        let directory = tempfile::Builder::new().prefix(&format!("meshplan-{name}-")).tempdir().unwrap().keep();
        let mut command = Command::new("bash");
        command.args(["-c", KEEPER, "keeper"]).arg(&directory).arg(PATIENCE.as_secs().to_string());
        // In a group of its own: an interruption from the terminal is for the tests, and reaches it by the end of its input.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut shell = command.spawn().unwrap_or_else(|error| panic!("bash: {error}"));
        let line = shell.stdin.take().zip(shell.stdout.take().map(BufReader::new));
        Self { directory, shell, line: Mutex::new(line) }
    }

    /// The directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Starts a process, which then has this name; its output is appended to the log of that name.
    pub(crate) fn start(&self, name: &str, program: &Path, arguments: &[String]) {
        let words = std::iter::once(program.display().to_string()).chain(arguments.iter().cloned());
        let words: Vec<_> = words.map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        std::fs::write(self.directory.join(format!("{name}.command")), format!("exec {}\n", words.join(" "))).unwrap();
        self.start_again(name);
    }

    /// Starts a process as it was started before.
    pub(crate) fn start_again(&self, name: &str) {
        assert_eq!(self.tell("start", name), "done");
    }

    /// Kills a process and waits for its end; nothing if it does not run.
    pub(crate) fn stop(&self, name: &str) {
        assert_eq!(self.tell("stop", name), "done");
    }

    /// Holds a process: it keeps its connections and does nothing.
    pub(crate) fn pause(&self, name: &str) {
        assert_eq!(self.tell("pause", name), "done", "`{name}` does not run");
    }

    /// Lets a held process go on.
    pub(crate) fn resume(&self, name: &str) {
        assert_eq!(self.tell("resume", name), "done", "`{name}` does not run");
    }

    /// Whether a process runs.
    pub(crate) fn runs(&self, name: &str) -> bool {
        self.tell("look", name) == "done"
    }

    /// The end of a process's log, for messages.
    pub(crate) fn log(&self, name: &str) -> String {
        let log = std::fs::read_to_string(self.directory.join(format!("{name}.log"))).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    fn tell(&self, verb: &str, name: &str) -> String {
        let mut line = self.line.lock().unwrap();
        let (input, output) = line.as_mut().unwrap();
        writeln!(input, "{verb} {name}").unwrap();
        let mut answer = String::new();
        output.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // A test that fails while it holds the line must not fail twice.
        drop(self.line.get_mut().map(Option::take));
        drop(self.shell.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn ends(process: &str) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Path::new(process).exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        !Path::new(process).exists()
    }

    #[test]
    fn processes_end_with_their_owner_and_leave_nothing() {
        let keeper = Keeper::new("keeper");
        keeper.start("sleeper", Path::new("bash"), &["-c".to_owned(), r#"echo "it's $$"; exec sleep 600"#.to_owned()]);
        let deadline = Instant::now() + Duration::from_secs(10);
        while keeper.log("sleeper").is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let process = keeper.log("sleeper").replace("it's ", "/proc/");
        assert!(keeper.runs("sleeper") && Path::new(&process).exists(), "{process}");
        let directory = keeper.directory().to_owned();
        drop(keeper);
        assert!(!Path::new(&process).exists() && !directory.exists());
    }

    #[test]
    fn a_process_is_stopped_started_again_and_missed() {
        let keeper = Keeper::new("keeper");
        assert!(!keeper.runs("sleeper"));
        keeper.start("sleeper", Path::new("sleep"), &["600".to_owned()]);
        keeper.pause("sleeper");
        keeper.resume("sleeper");
        assert!(keeper.runs("sleeper"));
        keeper.stop("sleeper");
        assert!(!keeper.runs("sleeper"));
        keeper.start_again("sleeper");
        assert!(keeper.runs("sleeper"));
        keeper.start("short", Path::new("true"), &[]);
        let deadline = Instant::now() + Duration::from_secs(10);
        while keeper.runs("short") {
            assert!(Instant::now() < deadline);
        }
    }

    /// The kit's own process is killed where nothing of it can run any more.
    #[test]
    fn processes_end_when_their_owner_is_killed() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(inner.join("sleeper.command"), "echo $$ > ../pid; exec sleep 600").unwrap();
        // The owner's end of the pipe is held by a process that is killed.
        let owner = r#"mkfifo "$1/line"; (bash -c "$2" keeper "$1/inner" 60 <"$1/line" >/dev/null 2>&1 &); exec >"$1/line"; echo start sleeper; exec sleep 600"#;
        let path = directory.path().display().to_string();
        let mut owner = Command::new("bash").args(["-c", owner, "owner", &path, KEEPER]).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let pid = loop {
            let pid = std::fs::read_to_string(directory.path().join("pid")).unwrap_or_default();
            if pid.ends_with('\n') {
                break pid.trim().to_owned();
            }
            assert!(Instant::now() < deadline, "it never started");
            std::thread::sleep(Duration::from_millis(20));
        };
        owner.kill().unwrap();
        owner.wait().unwrap();
        assert!(ends(&format!("/proc/{pid}")) && ends(&inner.display().to_string()));
    }
}
