//! The shapes of our files, one module per file and version: the only place that derives serde for them.
//!
//! A file says which version of its shape it has. A field more or less is another version: unknown fields are refused, so that
//! nothing a newer meshplan wrote is dropped by an older one.

pub(crate) mod claim_v1;
pub(crate) mod head_v1;
pub(crate) mod journal_v1;
pub(crate) mod lock_v1;
mod natural_v1;
mod output_v1;
pub(crate) mod parts_v1;
mod place_v1;
pub(crate) mod plan_v1;
mod record_v1;
pub(crate) mod revision_v1;
pub(crate) mod sealing_v1;
pub(crate) mod snapshot_v1;
pub(crate) mod state_v1;
mod status_v1;
mod type_text;
pub(crate) mod value_v1;
pub(crate) mod words_v1;

/// The version of meshplan that writes.
pub(crate) const MESHPLAN_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why a text is not in its format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is damaged, or was edited into something else.
    Corrupt {
        /// Line, from one.
        line: usize,
        /// Column, from one; zero where the whole line is meant.
        column: usize,
        /// What is wrong, as a fragment.
        why: String,
    },
    /// A newer meshplan wrote it in a newer version of its format.
    Newer {
        /// That version of the format.
        version: u64,
        /// The meshplan that wrote it, if it says so.
        by: String,
    },
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        let why = text.rsplit_once(" at line ").map_or(text.as_str(), |(why, _)| why).to_owned();
        Self::Corrupt { line: error.line(), column: error.column(), why }
    }
}

/// Why a state cannot be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotStorable {
    /// The record, place or output.
    pub(crate) what: String,
    /// Why not, as a fragment.
    pub(crate) why: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGE: &str = include_str!("../../../docs/formats.md");

    /// The first fenced block after a heading.
    fn example(heading: &str) -> &'static str {
        let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap();
        let (_, fenced) = section.split_once("\n```json").unwrap();
        let (_, block) = fenced.split_once('\n').unwrap();
        &block[..block.find("```\n").unwrap()]
    }

    #[test]
    fn the_documented_state_is_read_and_written_as_it_stands() {
        let text = example("State file");
        let (state, sealed) = state_v1::read_sealed(text).unwrap();
        let written = state_v1::write_sealed(&state, state.serial, &state.lineage, sealed).unwrap();
        let today = text.replace("\"0.1.0\"", &format!("\"{MESHPLAN_VERSION}\""));
        assert_eq!(String::from_utf8(written).unwrap(), today);
        assert_eq!((state.resources.len(), state.places.len(), state.outputs.len()), (2, 2, 2));
    }

    #[test]
    fn the_documented_journal_is_read_and_written_as_it_stands() {
        let text = example("Journal");
        let journal = journal_v1::read(text.as_bytes()).ok().flatten().unwrap();
        let mut written = journal_v1::write_header(&journal.header).unwrap();
        written.extend(journal_v1::write_entries(&journal.entries).unwrap());
        let today = text.replace("\"0.1.0\"", &format!("\"{MESHPLAN_VERSION}\""));
        assert_eq!(String::from_utf8(written).unwrap(), today);
        assert_eq!(journal.entries.len(), 8);
    }

    #[test]
    fn the_documented_lock_is_read_and_written_as_it_stands() {
        let text = example("Lock");
        let holder = lock_v1::read(text).unwrap();
        assert_eq!(String::from_utf8(lock_v1::write(&holder)).unwrap(), text);
    }

    #[test]
    fn the_documented_head_is_read_and_written_as_it_stands() {
        let text = example("Objects");
        let head = head_v1::read(text.as_bytes()).unwrap();
        let today = text.replace("\"0.1.0\"", &format!("\"{MESHPLAN_VERSION}\""));
        assert_eq!(String::from_utf8(head_v1::write(&head)).unwrap(), today);
        assert_eq!((head.fence, head.journal_from), (7, 12));
    }

    #[test]
    fn the_documented_revision_is_read_and_written_as_it_stands() {
        let text = example("Revision");
        let lines: Vec<&str> = text.splitn(1 + revision_v1::LINES_BEFORE_STATE, '\n').collect();
        let head = revision_v1::read_head(lines[0]).ok().unwrap();
        let configuration = revision_v1::read_configuration(lines[1]).ok().flatten().unwrap();
        let plan = revision_v1::read_plan(lines[2]).unwrap().unwrap();
        let mut written = Vec::new();
        revision_v1::write_head(&head, &mut written).unwrap();
        revision_v1::write_planned(Some(&configuration), Some(&|to| to.write_all(plan.as_bytes())), &mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), text[..text.len() - lines[3].len()]);
        assert_eq!((head.number, plan.as_str()), (3, "{\"format\":1,\"changes\":[]}"));
        let (state, sealed) = state_v1::read_sealed(lines[3]).unwrap();
        let mut written = Vec::new();
        state_v1::write_line(&state, sealed, &mut written).unwrap();
        let today = lines[3].replace("\"0.1.0\"", &format!("\"{MESHPLAN_VERSION}\""));
        assert_eq!(String::from_utf8(written).unwrap(), today);
    }

    #[test]
    fn every_field_and_entry_is_documented() {
        for (heading, text) in [("State file", example("State file")), ("Journal", example("Journal"))] {
            let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap();
            let (_, prose) = section.split_once("```\n").unwrap();
            let record_fields = text.lines().filter_map(|line| line.strip_prefix("      \"")?.split_once("\":").map(|(name, _)| name));
            let file_fields = text.lines().filter_map(|line| line.strip_prefix("  \"")?.split_once("\":").map(|(name, _)| name));
            let entries = text.lines().skip(1).filter_map(|line| line.strip_prefix("{\"")?.split_once("\":").map(|(name, _)| name));
            for name in record_fields.chain(file_fields).chain(entries) {
                assert!(prose.contains(&format!("`{name}`")), "`{name}` is not explained under {heading}");
            }
        }
    }

    /// A documented example with some of it cut out and something else put there.
    fn damaged(heading: &'static str) -> impl Strategy<Value = Vec<u8>> {
        let text = example(heading).as_bytes();
        let pieces = prop_oneof!["[\\[\\]{}\",:0-9a-z\n.]{0,3}".prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..4)];
        (0..=text.len(), 0..6_usize, pieces).prop_map(move |(at, cut, piece)| {
            let after = text.get(at + cut..).unwrap_or_default();
            [&text[..at], &piece, after].concat()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_damaged_state_is_refused_or_is_another_state(text in damaged("State file")) {
            let Ok(text) = String::from_utf8(text) else { return Ok(()) };
            if let Ok(state) = state_v1::read(&text) {
                let written = state_v1::write(&state, state.serial, &state.lineage, &state.secret_key).unwrap();
                prop_assert_eq!(state_v1::read(std::str::from_utf8(&written).unwrap()), Ok(state));
            }
        }

        #[test]
        fn a_damaged_journal_is_refused_or_is_another_journal(text in damaged("Journal")) {
            if let Ok(Some(journal)) = journal_v1::read(&text) {
                let mut written = journal_v1::write_header(&journal.header).unwrap();
                written.extend(journal_v1::write_entries(&journal.entries).unwrap());
                let again = journal_v1::read(&written).ok().flatten().map(|journal| journal.entries);
                prop_assert_eq!(again, Some(journal.entries));
            }
        }

        #[test]
        fn no_text_is_too_strange_for_a_type(text in ".{0,40}|[a-z(){}\\[\\]=,\" ]{0,40}") {
            if let Ok(ty) = type_text::parse(&text) {
                prop_assert_eq!(type_text::parse(&type_text::write(&ty)), Ok(ty));
            }
        }
    }
}
