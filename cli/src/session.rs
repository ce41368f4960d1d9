//! One run: the world taken apart into what commands use.

use crate::args::{Args, BackendArgument};
use crate::backend;
use crate::disk::Disk;
use crate::encryption::{Keyed, Keys};
use crate::failure::Failure;
use crate::files::{Kept, Noting};
use crate::project::{Aim, Project};
use crate::view::human::{Human, WIDTH};
use crate::view::json::Lines;
use crate::view::{Screen, View};
use crate::world::{MakeRegistry, NextInterrupt, Typed, World, WrapGuard};
use engine::diagnostic::{Diagnostic, Problems};
use engine::observe::{self, Edge};
use engine::plan::{Described, Plan, Walk};
use engine::port::{Files, Guard, Machine, Registry};
use engine::question::Answers;
use engine::source::SourceTree;
use engine::state::State;
use review::style::Style;
use review::terminal::Layout;
use state::{Backend, FilesRead, Loaded, Store};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// What a command works with.
pub(crate) struct Session {
    /// The working directory.
    pub(crate) working_directory: PathBuf,
    /// The directory of the configuration.
    pub(crate) directory: PathBuf,
    /// That directory as a user would name it, relative to the working directory.
    pub(crate) shown_directory: String,
    /// Where the state is, and the clusters of the sandbox: the directory of the configuration, but for tests.
    pub(crate) home: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) stdin: Box<dyn BufRead + Send>,
    pub(crate) typed: Option<Box<dyn Typed>>,
    pub(crate) machine: Arc<dyn Machine>,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) interrupt: NextInterrupt,
    pub(crate) view: Box<dyn View>,
    /// `--backend-config`.
    pub(crate) backend_config: Vec<BackendArgument>,
    /// Where the state is kept, once that was asked for.
    pub(crate) backend: OnceLock<Arc<dyn Backend>>,
    /// The text read so far, for problems to point at.
    pub(crate) sources: SourceTree,
    /// What was read of files to plan.
    pub(crate) seen: Mutex<FilesRead>,
    /// How text on standard output is laid out.
    pub(crate) layout: Layout,
    keyed: OnceCell<Keyed>,
    /// Whether the state said already when it was locked that secrets stand in it as they are.
    pub(crate) says_unsealed: bool,
    guard: WrapGuard,
    registry: MakeRegistry,
}

impl Session {
    /// A session in this world.
    pub(crate) fn new(world: World, args: &Args) -> Self {
        let style = |terminal: bool| {
            if args.global.no_color { Style::Plain } else { Style::from_environment(&world.environment, terminal) }
        };
        let (out, err) = (style(world.stdout.is_terminal()), style(world.stderr.is_terminal()));
        let layout = Layout { style: out, width: world.stdout.width().unwrap_or(WIDTH), detail: args.global.detail.detail() };
        let screen = Screen { out: world.stdout, err: world.stderr };
        let view: Box<dyn View> =
            if args.verb.is_events() { Box::new(Lines::new(screen)) } else { Box::new(Human::new(screen, layout, err)) };
        let typed = args.global.directory.as_ref().filter(|typed| !typed.as_os_str().is_empty());
        let shown_directory = typed.map_or_else(|| ".".to_owned(), |typed| typed.display().to_string());
        let directory = typed.map_or_else(|| world.directory.clone(), |typed| world.directory.join(typed));
        Self {
            sources: SourceTree::new(&shown_directory),
            seen: Mutex::default(),
            layout,
            home: directory.clone(),
            directory,
            shown_directory,
            working_directory: world.directory,
            environment: world.environment,
            stdin: world.stdin,
            typed: world.typed,
            machine: world.machine,
            stop: world.stop,
            interrupt: world.interrupt,
            view,
            backend_config: args.global.backend_config.clone(),
            backend: OnceLock::new(),
            keyed: OnceCell::new(),
            says_unsealed: false,
            guard: world.guard,
            registry: world.registry,
        }
    }

    /// Every kind.
    pub(crate) fn registry(&self) -> Registry {
        (self.registry)(&self.home)
    }

    /// Where asynchronous work runs. It is dropped without waiting for what is left over.
    pub(crate) fn runtime() -> Result<Runtime, Failure> {
        Builder::new_multi_thread().enable_all().build().map_err(|error| Failure::one("no threads", error.to_string()))
    }

    /// What is remembered, with the journal counted in. Takes no lock and writes nothing. Refused if a key is missing to open it.
    pub(crate) fn remembered(&mut self) -> Result<State, Failure> {
        let loaded = self.loaded()?;
        if loaded.sealed_with.is_some() {
            self.keyed().whole(&loaded)?;
        }
        Ok(loaded.state)
    }

    /// The same with what is sealed blocked, and that said, if a key is missing: for commands that show what else there is.
    pub(crate) fn remembered_in_part(&mut self) -> Result<State, Failure> {
        let loaded = self.loaded()?;
        if let Some(key) = &loaded.sealed_with {
            self.view.say(&format!("note: the state is sealed with the key `{key}`, which is not at hand: its secrets stay closed"));
        }
        Ok(loaded.state)
    }

    /// The same for a plan that is only looked at.
    pub(crate) fn remembered_to_plan(&mut self) -> Result<State, Failure> {
        let loaded = self.loaded()?;
        if let Some(key) = &loaded.sealed_with {
            self.view.say(&format!(
                "note: the state is sealed with the key `{key}`, which is not at hand: its secrets stay closed, what needs them is not \
                 planned, and the digest of this plan approves nothing"
            ));
        }
        Ok(loaded.state)
    }

    fn loaded(&mut self) -> Result<Loaded, Failure> {
        let loaded = self.store().read()?;
        for notice in &loaded.notices {
            self.view.say(&format!("note: {notice}"));
        }
        Ok(loaded)
    }

    /// The state's own key.
    pub(crate) fn secret_key(&self) -> Result<Vec<u8>, Failure> {
        let loaded = self.store().read()?;
        if loaded.sealed_with.is_some() {
            self.keyed().whole(&loaded)?;
        }
        Ok(loaded.state.secret_key)
    }

    /// The text of the state, with the journal counted in. Without a key that is missing to open it as it is kept, which an unfinished apply
    /// forbids.
    pub(crate) fn text(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let loaded = self.loaded()?;
        if loaded.state.serial == 0 && loaded.state.is_empty() {
            return Ok(None);
        }
        let store = self.store();
        match store.kept_text()? {
            Some(text) if loaded.sealed_with.is_some() => Ok(Some(text)),
            _ => {
                self.keyed().whole(&loaded)?;
                Ok(Some(store.text_of(&loaded.state)?))
            }
        }
    }

    /// The lock and what is remembered.
    pub(crate) fn lock(&mut self, operation: &str, timeout: Duration) -> Result<(Box<dyn Guard>, State), Failure> {
        let store = if self.is_tested() { self.unkeyed() } else { self.keyed().for_writing()?.clone() };
        self.lock_store(&store, operation, timeout)
    }

    /// The lock of this store and what it remembers.
    pub(crate) fn lock_store(&mut self, store: &Store, operation: &str, timeout: Duration) -> Result<(Box<dyn Guard>, State), Failure> {
        let (locked, loaded) = store.lock(operation, timeout)?;
        backend::remember(self)?;
        self.says_unsealed = loaded.says_unsealed;
        for notice in &loaded.notices {
            self.view.say(&format!("note: {notice}"));
        }
        Ok(((self.guard)(Box::new(locked)), loaded.state))
    }

    /// Makes a plan with the world's answers.
    pub(crate) fn plan(&self, runtime: &Runtime, project: &Project, state: State, aim: Aim) -> Plan {
        runtime.block_on(self.planned(project, state, aim))
    }

    /// How things are that `import` blocks name and no block of a resource describes. What was asked for it stands in `known`.
    pub(crate) fn describe(
        &self,
        runtime: &Runtime,
        project: &Project,
        state: State,
        known: &mut Answers,
    ) -> Result<Vec<Described>, Problems> {
        let registry = self.registry();
        let files = Noting { disk: Disk::new(&self.working_directory), seen: &self.seen };
        let inputs = project.inputs(self, Aim::Configuration);
        runtime.block_on(observe::describe(&project.config, state, inputs, Edge { registry: &registry, files: &files }, known))
    }

    async fn planned(&self, project: &Project, state: State, aim: Aim) -> Plan {
        let registry = self.registry();
        let noting = Noting { disk: Disk::new(&self.working_directory), seen: &self.seen };
        let kept = project.origin.as_ref().map(|origin| Kept { files: &origin.files, number: origin.number });
        let files: &dyn Files = kept.as_ref().map_or(&noting, |kept| kept);
        let inputs = project.inputs(self, aim);
        let plan = observe::plan(&project.config, state, inputs, Edge { registry: &registry, files }).await;
        match &project.import {
            Some((address, _)) => plan.only(address),
            None => plan,
        }
    }

    /// Makes a plan with the world's answers, unless it is interrupted before.
    pub(crate) fn plan_unless_interrupted(&mut self, runtime: &Runtime, project: &Project, state: State, aim: Aim) -> Option<Plan> {
        let interrupted = (self.interrupt)();
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = interrupted => None,
                plan = self.planned(project, state, aim) => Some(plan),
            }
        })
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

    /// As [`Self::plan`], for the configuration, with answers from before.
    pub(crate) fn plan_again(&self, runtime: &Runtime, project: &Project, state: State, known: &mut Answers) -> Plan {
        let registry = self.registry();
        let files = Noting { disk: Disk::new(&self.working_directory), seen: &self.seen };
        let inputs = project.inputs(self, Aim::Configuration);
        runtime.block_on(observe::plan_again(&project.config, state, inputs, Edge { registry: &registry, files: &files }, known))
    }

    /// Walks as [`Self::plan_again`] does, and asks the finished walk.
    pub(crate) fn ask_again<T>(
        &self,
        runtime: &Runtime,
        (project, state): (&Project, State),
        known: &mut Answers,
        ask: impl FnOnce(&mut Walk<'_>) -> T,
    ) -> T {
        let registry = self.registry();
        let files = Disk::new(&self.working_directory);
        let kept = project.origin.as_ref().map(|origin| Kept { files: &origin.files, number: origin.number });
        let files: &dyn Files = kept.as_ref().map_or(&files, |kept| kept);
        let inputs = project.inputs(self, Aim::Configuration);
        let edge = Edge { registry: &registry, files };
        runtime.block_on(observe::ask_again((&project.config, state, inputs), edge, known, ask))
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
            self.view.plan(plan);
        }
        self.view.diagnostics(&self.sources, &plan.diagnostics);
        good
    }

    /// The same with the steps of its apply in place of what changes.
    pub(crate) fn show_steps(&mut self, plan: &Plan) -> bool {
        let good = !plan.is_errored();
        if good {
            self.view.steps(plan);
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

    /// The state, wherever it is kept.
    pub(crate) fn store(&self) -> Store {
        if self.is_tested() { self.unkeyed() } else { self.keyed().store.clone() }
    }

    /// Whether this is the run of a test, which has a state of its own for as long as it takes.
    pub(crate) fn is_tested(&self) -> bool {
        self.home != self.directory
    }

    /// The state's files; refused if the configuration names a key to seal with and it is not there.
    pub(crate) fn writable(&self) -> Result<Store, Failure> {
        self.keyed().for_writing().cloned()
    }

    /// The state's files, with a key to seal with.
    pub(crate) fn sealing(&self) -> Result<Store, Failure> {
        self.keyed().sealing()
    }

    /// Another store, with the same keys.
    pub(crate) fn with_keys(&self, store: Store) -> Result<Store, Failure> {
        Keyed::new(store, Keys::of(self)).for_writing().cloned()
    }

    /// The state's files, opened with the same keys and written in the clear.
    pub(crate) fn unsealing(&self) -> Result<Store, Failure> {
        Keyed::new(self.unkeyed(), Keys::of(self).opening_only()).for_writing().cloned()
    }

    /// The same without keys.
    pub(crate) fn unkeyed(&self) -> Store {
        if self.is_tested() {
            return Store::on(backend::choose(self));
        }
        Store::on(self.backend.get_or_init(|| backend::choose(self)).clone())
    }

    fn keyed(&self) -> &Keyed {
        self.keyed.get_or_init(|| Keyed::new(self.unkeyed(), Keys::of(self)))
    }

    /// Writes data to standard output as it is.
    pub(crate) fn data(&mut self, text: &str) {
        self.view.screen().out.write(text);
    }
}

fn prompt(question: &str) -> String {
    format!("\n{question}\n  Only 'yes' will be accepted to approve.\n\n  Enter a value: ")
}

/// The next line without blanks around it; nothing if there is none.
fn line_of(stdin: &mut dyn BufRead) -> String {
    let mut line = String::new();
    if stdin.read_line(&mut line).is_ok() { line.trim().to_owned() } else { String::new() }
}
