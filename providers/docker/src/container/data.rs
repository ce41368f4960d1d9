//! `data "docker_container"`.

use super::schema;
use super::seen::facts;
use crate::client::Client;
use crate::naming::name_problem;
use engine::diagnostic::Diagnostic;
use engine::question::Answer;
use engine::schema::{Kind, Problem, Schema};
use engine::value::Value;

/// `data "docker_container"`.
pub(crate) struct ContainerData {
    schema: Schema,
}

impl Default for ContainerData {
    fn default() -> Self {
        Self { schema: schema::data() }
    }
}

impl Kind for ContainerData {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        name_problem(arguments).into_iter().collect()
    }
}

impl ContainerData {
    /// What there is of the container that the arguments name.
    pub(crate) async fn read(client: &Client, arguments: &Value) -> Answer {
        let name = arguments.text("name").unwrap_or_default();
        match client.container(name).await {
            Ok(inspected) => Answer::Present(facts(&inspected, &Value::null()).attributes(Self::default().schema(), arguments)),
            Err(error) if error.is_absent() => {
                let detail = format!("the Engine has no container `{name}`");
                let help = "Correct the name; `docker ps --all` shows what is there.";
                Answer::Refused(Diagnostic::error("docker container not found", detail).help(help))
            }
            Err(error) => Answer::Unreachable(error.message.into()),
        }
    }
}
