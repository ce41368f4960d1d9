//! Plans of a project, with the answers of the world that a session lives in.

use crate::disk::Disk;
use crate::files::{Kept, Noting};
use crate::project::{Aim, Project};
use crate::session::Session;
use engine::diagnostic::Problems;
use engine::observe::{self, Edge};
use engine::plan::{Described, Plan, Walk};
use engine::port::Files;
use engine::question::Answers;
use engine::state::State;
use tokio::runtime::Runtime;

impl Session {
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
        let files = Noting { disk: Disk::new(&self.workplace.working_directory), seen: &self.seen };
        let inputs = project.inputs(self, Aim::Configuration);
        runtime.block_on(observe::describe(&project.config, state, inputs, Edge { registry: &registry, files: &files }, known))
    }

    async fn planned(&self, project: &Project, state: State, aim: Aim) -> Plan {
        let registry = self.registry();
        let noting = Noting { disk: Disk::new(&self.workplace.working_directory), seen: &self.seen };
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

    /// As [`Self::plan`], for the configuration, with answers from before.
    pub(crate) fn plan_again(&self, runtime: &Runtime, project: &Project, state: State, known: &mut Answers) -> Plan {
        let registry = self.registry();
        let files = Noting { disk: Disk::new(&self.workplace.working_directory), seen: &self.seen };
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
        let files = Disk::new(&self.workplace.working_directory);
        let kept = project.origin.as_ref().map(|origin| Kept { files: &origin.files, number: origin.number });
        let files: &dyn Files = kept.as_ref().map_or(&files, |kept| kept);
        let inputs = project.inputs(self, Aim::Configuration);
        let edge = Edge { registry: &registry, files };
        runtime.block_on(observe::ask_again((&project.config, state, inputs), edge, known, ask))
    }
}
