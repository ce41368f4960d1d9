//! Plans that go through a file.

use engine::plan::Plan;
use engine::schema::Catalogue;
use engine::source::SourceTree;
use state::sealing::SealingKey;
use state::{NotWritten, PlanFile, PlanKeys};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;

/// The plan that is read from the file a plan was written to. It must be the same plan, and be written as the same text. What is not in the
/// file (the state's key, how places are reached) is as it was. A plan that needs an ephemeral value is not written.
pub fn through_a_file(plan: &Plan, catalogue: &Catalogue) -> Plan {
    let key = SealingKey::from_bytes(&[7; 32]).unwrap();
    let text = |plan: Plan| {
        let (sources, variables) = (SourceTree::new("."), BTreeMap::new());
        let file = PlanFile { plan, sources, variables, configuration: None, revision: None, made_at: 0, closed: None };
        match file.text(|| Ok::<_, Infallible>(key.clone().into())) {
            Ok(text) => Some(String::from_utf8(text).unwrap()),
            Err(NotWritten::Io(error)) if error.to_string().contains("it holds an ephemeral value") => None,
            Err(error) => panic!("{error:?}"),
        }
    };
    let Some(written) = text(plan.clone()) else { return plan.clone() };
    assert!(PlanFile::is_one(&written));
    let keys = PlanKeys::new(None, vec![key.clone()]);
    let read = PlanFile::read(Path::new("plan"), &written, catalogue, &keys).unwrap().plan;
    let again = text(read.clone()).unwrap();
    assert_eq!(unsealed(&again), unsealed(&written));
    assert_eq!((&read.changes, &read.outputs, &read.checks, &read.blocked), (&plan.changes, &plan.outputs, &plan.checks, &plan.blocked));
    assert_eq!(
        (&read.diagnostics, &read.program, &read.basis, &read.providers, &read.holes),
        (&plan.diagnostics, &plan.program, &plan.basis, &plan.holes.without(&plan.providers), &plan.holes)
    );
    let rest = |plan: &Plan| (plan.upgraded, plan.renamed.clone(), plan.destroy, plan.partial, plan.refresh_only);
    assert_eq!(rest(&read), rest(plan));
    assert_eq!(read.left.keys().collect::<Vec<_>>(), plan.left.keys().collect::<Vec<_>>());
    assert_eq!(read.digest(), plan.digest());
    let mut prior = read.prior;
    prior.secret_key.clone_from(&plan.prior.secret_key);
    assert_eq!(prior, plan.prior);
    Plan { prior, connections: plan.connections.clone(), left: plan.left.clone(), pinned: None, ..read }
}

/// The text without what is sealed, which is another each time.
fn unsealed(text: &str) -> &str {
    text.split_once("\"sealed\":").map_or(text, |(before, _)| before)
}
