//! Records that another version of a kind wrote.

use super::{marked, summaries};
use engine::state::Record;
use engine::value::Value;
use meshplan_tests::planning::{Bench, actions};
use std::sync::Arc;

const TEXT: &str = "resource \"fake_grown\" \"a\" {\n name = \"a\"\n lifecycle {\n create_before_destroy = true\n }\n}\n";

fn text(name: &str) -> String {
    TEXT.replace("\"a\"\n lifecycle", &format!("\"{name}\"\n lifecycle"))
}

/// A record as version 2 wrote it.
fn aged(record: &mut Record) {
    record.schema_version = 2;
    let renamed = |key: &Arc<str>| if &**key == "name" { "label".into() } else { key.clone() };
    record.attributes = Value::object(record.attributes.entries().iter().map(|entry| (renamed(&entry.key), entry.value.clone())));
}

fn applied() -> Bench {
    let mut bench = Bench::default();
    bench.apply(TEXT);
    bench
}

#[test]
fn an_older_record_is_read_compared_and_written_in_its_new_shape() {
    let mut bench = applied();
    marked(&mut bench, "fake_grown.a", aged);
    let plan = bench.plan(TEXT);
    assert!(!plan.has_changes() && plan.keeps_books() && plan.upgraded == 1, "{:?}", actions(&plan));
    bench.fake.clear_calls();
    bench.apply_plan(&plan);
    assert!(bench.fake.calls().is_empty());
    let record = bench.state.record(&super::address("fake_grown.a")).unwrap();
    assert_eq!((record.schema_version, record.attributes.text("name")), (3, Some("a")));
    assert!(!bench.plan(TEXT).keeps_books());
    // Also of what is not desired any more.
    marked(&mut bench, "fake_grown.a", aged);
    bench.apply("");
    assert!(bench.state.is_empty() && bench.fake.things().is_empty());
}

#[test]
fn deposed_records_are_upgraded_as_well() {
    let mut bench = applied();
    let plan = bench.plan(&text("b"));
    let circumstances = meshplan_tests::planning::Circumstances { stop_after: Some("fake_grown.a"), ..Default::default() };
    bench.apply_under(&plan, circumstances);
    let objects = bench.state.resources.get_mut(&super::address("fake_grown.a")).unwrap();
    objects.deposed.values_mut().for_each(aged);
    assert_eq!(objects.deposed.len(), 1);
    bench.apply(&text("b"));
    assert_eq!(bench.fake.things().into_keys().collect::<Vec<_>>(), ["fake_grown/b"]);
}

#[test]
fn a_record_that_cannot_be_understood_ends_the_plan_before_anything_is_asked() {
    for (version, summary, detail) in [
        (4, "newer record", "the state holds `fake_grown.a` in version 4 of `fake_grown`, and this meshplan knows version 3"),
        (1, "too old", "version 1 was before all that is known"),
    ] {
        let mut bench = applied();
        marked(&mut bench, "fake_grown.a", |record| record.schema_version = version);
        let asked = bench.fake.asked().len();
        for plan in [bench.plan(TEXT), bench.plan(""), bench.plan_destroy()] {
            assert_eq!(summaries(&plan), [summary]);
            assert_eq!(plan.diagnostics[0].detail, detail);
            assert!(plan.is_errored() && plan.changes.is_empty() && plan.program.slots.is_empty());
        }
        assert_eq!(bench.fake.asked().len(), asked);
    }
}
