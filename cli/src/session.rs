//! One run: the world taken apart into what commands use.

use crate::args::Global;
use crate::beside::beside;
use crate::encryption::Keyed;
use crate::failure::Failure;
use crate::view::human::{Human, WIDTH};
use crate::view::json::Lines;
use crate::view::{Screen, View};
use crate::workplace::Workplace;
use crate::world::{MakeRegistry, NextInterrupt, Typed, World, WrapGuard};
use engine::diagnostic::Diagnostic;
use engine::plan::Plan;
use engine::port::{Machine, Registry};
use engine::source::SourceTree;
use review::style::Style;
use review::terminal::Layout;
use state::{Backend, FilesRead};
use std::cell::OnceCell;
use std::io::{self, BufRead};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// How a run is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    /// As text to read.
    Text,
    /// As events, one JSON object per line.
    Events,
}

/// What a command works with.
pub(crate) struct Session {
    /// Where it runs.
    pub(crate) workplace: Workplace,
    pub(crate) stdin: Box<dyn BufRead + Send>,
    pub(crate) typed: Option<Box<dyn Typed>>,
    pub(crate) machine: Arc<dyn Machine>,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) interrupt: NextInterrupt,
    pub(crate) view: Box<dyn View>,
    /// Where the state is kept, once that was asked for.
    pub(crate) backend: OnceLock<Arc<dyn Backend>>,
    /// The text read so far, for problems to point at.
    pub(crate) sources: SourceTree,
    /// What was read of files to plan.
    pub(crate) seen: Mutex<FilesRead>,
    /// How text on standard output is laid out.
    pub(crate) layout: Layout,
    /// The state there with the keys to it, once that was asked for.
    pub(crate) keyed: OnceCell<Keyed>,
    /// Whether the state said already when it was locked that secrets stand in it as they are.
    pub(crate) says_unsealed: bool,
    pub(crate) guard: WrapGuard,
    registry: MakeRegistry,
}

impl Session {
    /// A session in this world.
    pub(crate) fn new(world: World, global: &Global, telling: Telling) -> Self {
        let style = |terminal: bool| if global.no_color { Style::Plain } else { Style::from_environment(&world.environment, terminal) };
        let (out, err) = (style(world.stdout.is_terminal()), style(world.stderr.is_terminal()));
        let layout = Layout { style: out, width: world.stdout.width().unwrap_or(WIDTH), detail: global.detail.detail() };
        let screen = Screen { out: world.stdout, err: world.stderr };
        let view: Box<dyn View> = match telling {
            Telling::Events => Box::new(Lines::new(screen)),
            Telling::Text => Box::new(Human::new(screen, layout, err)),
        };
        let workplace = Workplace::new(world.directory, world.environment, global);
        Self {
            sources: SourceTree::new(&workplace.shown_directory),
            seen: Mutex::default(),
            layout,
            workplace,
            stdin: world.stdin,
            typed: world.typed,
            machine: world.machine,
            stop: world.stop,
            interrupt: world.interrupt,
            view,
            backend: OnceLock::new(),
            keyed: OnceCell::new(),
            says_unsealed: false,
            guard: world.guard,
            registry: world.registry,
        }
    }

    /// Every kind.
    pub(crate) fn registry(&self) -> Registry {
        (self.registry)(&self.workplace.home)
    }

    /// Where asynchronous work runs. It is dropped without waiting for what is left over.
    pub(crate) fn runtime() -> Result<Runtime, Failure> {
        Builder::new_multi_thread().enable_all().build().map_err(|error| Failure::one("no threads", error.to_string()))
    }

    /// Lets time go by; false if that is interrupted.
    pub(crate) fn wait(&mut self, runtime: &Runtime, time: Duration) -> bool {
        let interrupted = (self.interrupt)();
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = interrupted => false,
                () = tokio::time::sleep(time) => true,
            }
        })
    }

    /// Shows warnings and goes on, or fails with all problems if there is an error among them.
    pub(crate) fn show_or_fail(&mut self, problems: Vec<Diagnostic>) -> Result<(), Failure> {
        if problems.iter().any(Diagnostic::is_error) {
            return Err(Failure(problems));
        }
        self.view.diagnostics(&self.sources, &problems);
        Ok(())
    }

    /// Shows a plan and its problems, and says whether it may be applied.
    pub(crate) fn show_plan(&mut self, plan: &Plan) -> bool {
        let good = !plan.is_errored();
        if good {
            digesting(plan, || self.view.plan(plan));
        }
        self.view.diagnostics(&self.sources, &plan.diagnostics);
        good
    }

    /// The same with the steps of its apply in place of what changes.
    pub(crate) fn show_steps(&mut self, plan: &Plan) -> bool {
        let good = !plan.is_errored();
        if good {
            digesting(plan, || self.view.steps(plan));
        }
        self.view.diagnostics(&self.sources, &plan.diagnostics);
        good
    }

    /// Asks a question and reads one line. Nothing if that is interrupted.
    pub(crate) fn asked(&mut self, runtime: &Runtime, question: &str) -> Option<String> {
        let interrupted = (self.interrupt)();
        let mut stdin: Box<dyn BufRead + Send> = std::mem::replace(&mut self.stdin, Box::new(io::empty()));
        let err = &mut self.view.screen().err;
        let (tell, told) = oneshot::channel();
        let answered = runtime.block_on(async {
            tokio::select! {
                biased;
                // First, so that it is listened to before anybody is asked.
                () = interrupted => None,
                answered = async {
                    err.write(question);
                    // Nothing can end a read but its line: whoever interrupts it leaves it behind.
                    std::thread::spawn(move || {
                        let line = line_of(&mut *stdin);
                        drop(tell.send((stdin, line)));
                    });
                    told.await.ok()
                } => answered,
            }
        });
        let (stdin, line) = answered?;
        self.stdin = stdin;
        Some(line)
    }

    /// Asks a question. Only `yes` is a yes.
    pub(crate) fn confirmed(&mut self, question: &str) -> bool {
        self.view.screen().err.write(&prompt(question));
        line_of(&mut *self.stdin) == "yes"
    }

    /// Writes data to standard output as it is.
    pub(crate) fn data(&mut self, text: &str) {
        self.view.screen().out.write(text);
    }
}

/// Computes the digest of a plan that will be asked for it while the plan is shown: who asks in the meantime waits for it.
fn digesting(plan: &Plan, show: impl FnOnce()) {
    if plan.has_changes() { beside(|| plan.digest().len(), show).1 } else { show() }
}

fn prompt(question: &str) -> String {
    format!("\n{question}\n  Only 'yes' will be accepted to approve.\n\n  Enter a value: ")
}

/// The next line without blanks around it; nothing if there is none.
fn line_of(stdin: &mut dyn BufRead) -> String {
    let mut line = String::new();
    if stdin.read_line(&mut line).is_ok() { line.trim().to_owned() } else { String::new() }
}
