//! The sandbox answers as a real API server does: both are asked the same, and what they say is compared. What may differ, and why, is in
//! `differential/known.rs`.

mod generated;
mod known;
mod minimal;
mod normal;
mod sequence;
mod table;

use known::KNOWN;
use meshplan_tests::apiserver::{self, Api, ApiServer};
use meshplan_tests::cluster::{forget, sandboxes};
use meshplan_tests::scenario::Scenario;
use normal::{Names, differences};
use sequence::{Sequence, Server, answers};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// The servers that are compared.
struct Servers {
    scenario: Scenario,
    alone: &'static ApiServer,
}

/// One place where two answers differ.
struct Difference {
    sequence: String,
    step: usize,
    at: String,
    codes: [Value; 2],
    told: String,
}

impl Difference {
    /// What is alike in sequences that show the same.
    fn kind(&self) -> (&str, &[Value; 2]) {
        (&self.at, &self.codes)
    }
}

impl Servers {
    /// A sandbox cluster and a real server without controllers, which would write at times of their own; nothing where its programs are
    /// missing.
    fn start() -> Option<Self> {
        static ALONE: OnceLock<ApiServer> = OnceLock::new();
        let components = apiserver::required()?;
        let alone = ALONE.get_or_init(|| ApiServer::start_without_controllers(&components, "alone"));
        let scenario = Scenario::with("resource \"sandbox_cluster\" \"this\" {\n  name = \"c1\"\n}\n");
        scenario.run(&["apply", "--auto-approve"]).expect_code(0);
        let servers = Self { scenario, alone };
        servers.define();
        Some(servers)
    }

    /// Defines the kind that sequences are about which is not built in. The real server may have it of an earlier test.
    fn define(&self) {
        static DEFINED: OnceLock<()> = OnceLock::new();
        let preparation = generated::preparation();
        DEFINED.get_or_init(|| drop(answers(self.alone.api(), &|| (), &preparation)));
        answers(&Api::of_sandbox(sandboxes(&self.scenario), "c1"), &|| (), &preparation);
    }

    /// Where the answers to a sequence differ.
    fn compare(&self, sequence: &Sequence) -> Vec<Difference> {
        let own = (sequence.server == Server::Forgetful)
            .then(|| ApiServer::start_without_controllers(&apiserver::required().unwrap(), "forgetful"));
        let real = match sequence.server {
            Server::Controlled => apiserver::shared(0).unwrap(),
            Server::Alone | Server::Forgetful => own.as_ref().unwrap_or(self.alone),
        };
        let sandbox = Api::of_sandbox(sandboxes(&self.scenario), "c1");
        let sandbox = answers(&sandbox, &|| forget(&self.scenario, "c1"), sequence);
        let real = answers(real.api(), &|| forgotten(real), sequence);
        let (mut sandbox_names, mut real_names) = (Names::of(sequence), Names::of(sequence));
        let mut found = Vec::new();
        for (at, (sandbox, real)) in sandbox.iter().zip(&real).enumerate() {
            let (sandbox, real) = (sandbox_names.normal(sandbox), real_names.normal(real));
            if !sequence.steps[at].is_compared() {
                continue;
            }
            let title = sequence.steps[at].title();
            let differing = if sandbox["code"] == real["code"] {
                differences(&sandbox, &real)
            } else {
                vec![("code".to_owned(), Some(&sandbox), Some(&real))]
            };
            let codes = [&sandbox, &real].map(|answer| answer["code"].clone());
            found.extend(differing.into_iter().map(|(path, sandbox, real)| Difference {
                sequence: sequence.name.clone(),
                step: at + 1,
                codes: codes.clone(),
                told: format!(
                    "{} step {}: {title}\n  at      {path}\n  sandbox {}\n  real    {}\n",
                    sequence.name,
                    at + 1,
                    shown(sandbox),
                    shown(real)
                ),
                at: path,
            }));
        }
        found
    }
}

/// Lets a server forget what was, also what it keeps for itself.
fn forgotten(server: &ApiServer) {
    server.forget();
    server.stop();
    server.start_again();
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        // Of a refusal the sentence says it all.
        Some(answer) if answer["body"]["message"].is_string() => format!("{} {}", answer["code"], answer["body"]["message"]),
        Some(value) => value.to_string(),
    }
}

/// The differences that nothing explains, for people to read; and which rows of the table of known ones explained something.
fn unexplained(found: &[Difference]) -> (String, BTreeSet<usize>) {
    let (mut told, mut used) = (String::new(), BTreeSet::new());
    for difference in found {
        match KNOWN.iter().position(|known| known.is(&difference.sequence, difference.step, &difference.at)) {
            Some(row) => drop(used.insert(row)),
            None => told.push_str(&difference.told),
        }
    }
    (told, used)
}

impl Servers {
    /// What nothing explains of the first answers that differ; those after them differ for that.
    fn first_unexplained(&self, sequence: &Sequence) -> Vec<Difference> {
        let mut found = self.compare(sequence);
        let is_known = |difference: &Difference| KNOWN.iter().any(|known| known.is(&difference.sequence, difference.step, &difference.at));
        found.retain(|difference| !is_known(difference));
        let first = found.first().map_or(0, |difference| difference.step);
        found.retain(|difference| difference.step == first);
        found
    }
}

/// Seeds of generated sequences: the same in every run, so that what fails is the change and not the draw. Others are tried by
/// `MESHPLAN_GENERATED`, how many, and `MESHPLAN_GENERATED_FROM`, the first.
fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let from = number("MESHPLAN_GENERATED_FROM").unwrap_or(0);
    from..from + number("MESHPLAN_GENERATED").unwrap_or(100)
}

/// Whether a sequence is meant by one who looks into some of them.
fn is_asked(sequence: &Sequence) -> bool {
    std::env::var("MESHPLAN_SEQUENCE").is_ok_and(|part| sequence.name.contains(&part)) || std::env::var_os("MESHPLAN_SEQUENCE").is_none()
}

#[test]
fn the_sandbox_answers_generated_sequences_as_a_real_server_does() {
    const ENOUGH: usize = 3;
    let Some(servers) = Servers::start() else { return };
    let wrong = seeds().map(generated::of_seed).filter(is_asked).filter_map(|sequence| {
        let found = servers.first_unexplained(&sequence);
        found.first().map(|first| {
            let shows =
                |sequence: &Sequence| servers.first_unexplained(sequence).iter().any(|difference| difference.kind() == first.kind());
            let least = minimal::minimal(&sequence, &shows);
            let rows: Vec<_> = least.steps.iter().map(sequence::Step::row).collect();
            let again = servers.first_unexplained(&Sequence { name: format!("{}-again", sequence.name), ..least });
            let told: String = again.iter().map(|difference| difference.told.as_str()).collect();
            format!("{told}{}\n", rows.join("\n"))
        })
    });
    let told = wrong.take(ENOUGH).collect::<Vec<_>>().join("\n");
    assert!(told.is_empty(), "the sandbox answers otherwise; what is found here becomes a row of the table:\n{told}");
}

#[test]
fn the_sandbox_answers_the_table_of_sequences_as_a_real_server_does() {
    let Some(servers) = Servers::start() else { return };
    let all = table::sequences();
    let asked: Vec<_> = all.iter().filter(|sequence| is_asked(sequence)).collect();
    let found: Vec<_> = asked.iter().flat_map(|sequence| servers.compare(sequence)).collect();
    let (told, used) = unexplained(&found);
    assert!(told.is_empty(), "the sandbox answers otherwise:\n{told}");
    let gone = KNOWN.iter().enumerate().filter(|(row, known)| asked.len() == all.len() && !known.is_drawn() && !used.contains(row));
    let gone: Vec<_> = gone.map(|(_, known)| format!("{} step {} at {}: {}", known.sequence, known.step, known.at, known.reason)).collect();
    assert!(gone.is_empty(), "these differences are no more, their rows can go:\n{}", gone.join("\n"));
}
