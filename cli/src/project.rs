//! The configuration in a directory, and the values of its variables.

use crate::aims;
use crate::args::{Aiming, Assignment, Manner, Planning, Previewer};
use crate::backend;
use crate::failure::Failure;
use crate::required;
use crate::session::Session;
use crate::validate;
use crate::variables::{Places, gather};
use engine::address::{Address, Mode};
use engine::config::{Config, Variable, is_unwritten_import, parse};
use engine::diagnostic::{Diagnostic, Problems};
use engine::eval::Surroundings;
use engine::plan::{Aims, Inputs, Looking, Undescribed, When};
use engine::schema::Catalogue;
use engine::source::Span;
use engine::value::{Class, Value};
use state::{FilesRead, Snapshot};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a plan aims at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// What the configuration says.
    Configuration,
    /// That nothing is left.
    Nothing,
    /// That one thing which exists is managed: [`Project::import`].
    Import,
}

impl Aim {
    /// The verb, as the lock's holder is described.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Configuration => "apply",
            Self::Nothing => "destroy",
            Self::Import => "import",
        }
    }
}

/// A revision that a configuration comes from.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// Its number.
    pub(crate) number: u64,
    /// What was read of files when it was planned.
    pub(crate) files: FilesRead,
}

/// How many revisions a configuration says to keep.
pub(crate) fn most_revisions(config: &Config) -> Option<usize> {
    config.modules.get(&config.root)?.settings.history.map(|(count, _)| count)
}

/// A configuration that was read without an error.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) config: Config,
    /// The revision that the configuration comes from, if it is not the one in the directory.
    pub(crate) origin: Option<Origin>,
    /// What is to be imported without a block: its address and id.
    pub(crate) import: Option<(Address, Arc<str>)>,
    /// What is aimed at, if not everything.
    pub(crate) aims: Aims,
    /// Values of the root module's variables, where some are given.
    pub(crate) variables: BTreeMap<Arc<str>, Value>,
    /// Where these were given: in a file, or in what stands for the environment or the command line among the sources.
    pub(crate) given: BTreeMap<Arc<str>, Span>,
    pub(crate) skip_refresh: bool,
    pub(crate) skip_preview: bool,
    /// When the plan is to be applied.
    pub(crate) when: When,
    /// Whether checks may make something to look with.
    pub(crate) looking: Looking,
}

impl Project {
    /// The configuration with the values of its variables.
    pub(crate) fn load(session: &mut Session, planning: &Planning) -> Result<Self, Failure> {
        let config = Self::read(session)?;
        Self::with_variables(session, planning, config)
    }

    /// The same with `import` blocks whose resources have no blocks yet.
    pub(crate) fn load_unwritten(session: &mut Session, planning: &Planning) -> Result<Self, Failure> {
        let (config, mut problems) = Self::parse(session);
        problems.retain(|problem| !is_unwritten_import(problem));
        session.show_or_fail(problems)?;
        Self::with_variables(session, planning, config)
    }

    /// The same with one more file in the root module.
    pub(crate) fn with_file(self, session: &mut Session, path: &str, text: &str) -> Result<Self, Failure> {
        let file = session.sources.add(path, text);
        let root = session.sources.root.clone();
        if let Some(root) = session.sources.modules.get_mut(&root) {
            root.files.push(file);
        }
        let (config, mut problems) = parse(&session.sources, &classes(session.registry().catalogue()));
        problems.retain(Diagnostic::is_error);
        session.show_or_fail(problems)?;
        Ok(Self { config, ..self })
    }

    fn with_variables(session: &mut Session, planning: &Planning, config: Config) -> Result<Self, Failure> {
        let none = BTreeMap::new();
        let places = Places {
            environment: &session.workplace.environment,
            working_directory: &session.workplace.working_directory,
            shown_directory: Some(&session.workplace.shown_directory),
            assignments: &planning.assignments.0,
        };
        let declared = config.modules.get(&config.root).map_or(&none, |root| &root.variables);
        let (found, problems) = gather(&mut session.sources, declared, places);
        session.show_or_fail(problems)?;
        let given = found.iter().map(|(name, (_, at))| (name.clone(), *at)).collect();
        let variables = found.into_iter().map(|(name, (value, _))| (name, value)).collect();
        let skip_preview = planning.preview == Previewer::Offline;
        let (aims, when, looking) = (Aims::default(), When::AtOnce, Looking::Untouching);
        Ok(Self {
            config,
            origin: None,
            import: None,
            aims,
            variables,
            given,
            skip_refresh: !planning.refresh,
            skip_preview,
            when,
            looking,
        })
    }

    /// The configuration of a revision with the values that its variables had. What is kept nowhere has to be given again; values on the
    /// command line count more than those of the revision.
    pub(crate) fn of_revision(session: &mut Session, planning: &Planning, (number, snapshot): (u64, Snapshot)) -> Result<Self, Failure> {
        session.sources = snapshot.sources;
        let (config, mut problems) = parse(&session.sources, &classes(session.registry().catalogue()));
        problems.extend(required::check(&config, env!("CARGO_PKG_VERSION")));
        session.show_or_fail(problems)?;
        let none = BTreeMap::new();
        let declared = config.modules.get(&config.root).map_or(&none, |root| &root.variables);
        let environment = session.workplace.environment.clone();
        let mut variables = given(session, declared, (&environment, &[]))?;
        variables.retain(|name, _| declared.get(name).is_some_and(|variable| variable.ephemeral));
        variables.extend(snapshot.variables);
        variables.extend(given(session, declared, (&BTreeMap::new(), &planning.assignments.0))?);
        let given = BTreeMap::new();
        let origin = Some(Origin { number, files: snapshot.files });
        let skip_preview = planning.preview == Previewer::Offline;
        let (aims, when, looking) = (Aims::default(), When::AtOnce, Looking::Untouching);
        Ok(Self { config, origin, import: None, aims, variables, given, skip_refresh: !planning.refresh, skip_preview, when, looking })
    }

    /// How many revisions the configuration says to keep.
    pub(crate) fn most_revisions(&self) -> Option<usize> {
        most_revisions(&self.config)
    }

    /// The same, aimed at a part, or at the state alone.
    pub(crate) fn aimed(self, session: &Session, aiming: &Aiming, manner: &Manner) -> Result<Self, Failure> {
        if manner.refresh_only && self.skip_refresh {
            let detail = "`--refresh-only` writes down what exists, and `--refresh=false` does not look at it";
            return Err(Failure::one("nothing to refresh", detail.to_owned()).help("Leave out one of the two."));
        }
        Ok(Self { aims: aims::gather(&session.workplace.working_directory, aiming, manner)?, ..self })
    }

    /// The configuration alone, every file of it read and parsed. Warnings are shown; errors fail.
    pub(crate) fn read(session: &mut Session) -> Result<Config, Failure> {
        let (config, mut problems) = Self::parse(session);
        if problems.iter().any(Diagnostic::is_error) {
            // Nothing will be planned, which would tell these.
            problems = validate::all(&config, session.registry().catalogue(), problems);
        } else {
            // A plan would not tell: in a test's own blocks it is right.
            problems.extend(validate::probing(&config, session.registry().catalogue()));
        }
        session.show_or_fail(problems)?;
        Ok(config)
    }

    /// The configuration as far as it can be read, and what is wrong with it.
    pub(crate) fn parse(session: &mut Session) -> (Config, Problems) {
        let (sources, mut problems) = modules::load(&session.workplace.directory, &session.workplace.shown_directory);
        session.sources = sources;
        let (config, more) = parse(&session.sources, &classes(session.registry().catalogue()));
        problems.extend(more);
        problems.extend(required::check(&config, env!("CARGO_PKG_VERSION")));
        problems.extend(backend::check(&session.workplace, &config));
        (config, problems)
    }

    /// What a plan is made with.
    pub(crate) fn inputs(&self, session: &Session, aim: Aim) -> Inputs {
        Inputs {
            variables: self.variables.clone(),
            imports: self.import.clone().into_iter().collect(),
            undescribed: Undescribed::Refused,
            aims: self.aims.clone(),
            destroy: aim == Aim::Nothing,
            skip_refresh: self.skip_refresh,
            skip_preview: self.skip_preview,
            when: self.when,
            looking: self.looking,
            root_directory: session.sources.modules.get(&session.sources.root).map_or_else(String::new, |root| root.directory.clone()),
            surroundings: Surroundings {
                working_directory: session.workplace.working_directory.display().to_string().into(),
                home_directory: session.workplace.environment.get("HOME").filter(|home| !home.is_empty()).map(|home| home.as_str().into()),
                planned_at: session.machine.now(),
                applied_at: None,
            },
        }
    }
}

/// Values from an environment and a command line alone.
fn given(
    session: &mut Session,
    declared: &BTreeMap<Arc<str>, Variable>,
    (environment, assignments): (&BTreeMap<String, String>, &[Assignment]),
) -> Result<BTreeMap<Arc<str>, Value>, Failure> {
    let places = Places { environment, working_directory: &session.workplace.working_directory, shown_directory: None, assignments };
    let (found, problems) = gather(&mut session.sources, declared, places);
    session.show_or_fail(problems)?;
    Ok(found.into_iter().map(|(name, (value, _))| (name, value)).collect())
}

/// Every class that some kind offers: the words that type constraints may use.
fn classes(catalogue: &Catalogue) -> Vec<Class> {
    let kinds = [Mode::Managed, Mode::Data].into_iter().flat_map(|mode| catalogue.kinds(mode));
    let all: BTreeSet<Class> = kinds.flat_map(|kind| kind.schema().classes.iter().copied()).collect();
    all.into_iter().collect()
}
