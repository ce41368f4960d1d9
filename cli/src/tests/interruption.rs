//! Ctrl-C: once, and twice.

use crate::exit;
use crate::fake::Fake;
use engine::port::{Asked, BoxFuture, Done, Failure, Provider, Request};
use engine::question::{Answer, Question};
use engine::schema::{Attribute, Kind, Schema};
use engine::value::Type;
use std::sync::Arc;
use std::time::Duration;

const MAIN: &str = r#"
resource "slow" "a" {
  milliseconds = 200
}
resource "slow" "b" {
  milliseconds = slow.a.milliseconds
  depends_on   = [slow.a]
}
"#;

/// A kind whose create takes its time.
struct Slow(Schema);

impl Slow {
    fn new() -> Self {
        let attributes = vec![Attribute::required("milliseconds", Type::Number, "How long a create takes.")];
        let (doc, classes) = ("Takes its time.", &[]);
        Self(Schema { kind: "slow", doc, version: 1, attributes, classes, place: None, outside: true, settles: false })
    }
}

impl Kind for Slow {
    fn schema(&self) -> &Schema {
        &self.0
    }
}

struct SlowProvider;

impl Provider for SlowProvider {
    fn resources(&self) -> Vec<Arc<dyn Kind>> {
        vec![Arc::new(Slow::new())]
    }

    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
        Box::pin(async { asked.into_iter().map(|asked| (asked.question, Answer::Absent)).collect() })
    }

    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move {
            let milliseconds = request.arguments.get("milliseconds").and_then(engine::value::Value::as_u64).unwrap_or_default();
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            Ok(Done::new(request.arguments))
        })
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        self.create(request)
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        self.create(request)
    }

    fn delete(&self, _: Request) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async { Ok(()) })
    }
}

fn fake() -> Fake {
    Fake::new(&[("main.mesh.hcl", MAIN)]).provider(Arc::new(SlowProvider))
}

#[test]
fn once_lets_what_runs_finish_and_starts_nothing_new() {
    let mut fake = fake();
    let ran = fake.interruptions(1).run("apply --auto-approve");
    assert_eq!(ran.code, exit::FAILED, "{ran:?}");
    assert_eq!(
        ran.err,
        "
+   slow.a: creating…
Stopping: nothing new starts, what runs is finished. Interrupt again to leave at once.
+   slow.a: created after 0s
"
    );
    assert!(ran.out.ends_with("Apply interrupted: 1 added, 0 changed, 0 destroyed, 1 not started.\n"), "{ran:?}");
    assert_eq!(fake.run("state list").out, "slow.a\n");
}

#[test]
fn twice_leaves_at_once_and_the_next_run_knows() {
    let mut fake = fake();
    let ran = fake.interruptions(2).run("apply --auto-approve");
    assert_eq!(ran.code, exit::INTERRUPTED, "{ran:?}");
    assert!(ran.err.ends_with("Left at once: what was under way is in the journal, and the next run looks at it.\n"), "{ran:?}");
    let ran = fake.run("state show slow.a");
    assert!(ran.out.starts_with("# slow.a (create interrupted)\n"), "{ran:?}");
    assert!(ran.err.contains("an apply is running or did not end"), "{ran:?}");
}
