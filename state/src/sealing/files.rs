//! The texts of state and journal, written and read with the keys that are at hand.

use super::keyring::{Keyring, SealedBy};
use super::seals::{Opener, Sealer, Texts};
use super::within::holds_secrets;
use super::{KeyError, KeyId};
use crate::format::journal_v1::{self, Header, Journal};
use crate::format::sealing_v1::{Sealing, StoredKey};
use crate::format::state_v1::Sealed;
use crate::format::{NotStorable, Unreadable, state_v1};
use engine::state::{Entry, State};
use std::borrow::Cow;
use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

/// Writes and reads the texts of one state and of its journal.
#[derive(Default)]
pub(crate) struct Files {
    keyring: Keyring,
    texts: Texts,
    /// Whether the state says already that secrets stand in it as they are.
    said: AtomicBool,
}

/// Nothing of what was sealed or opened.
impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("keyring", &self.keyring).finish_non_exhaustive()
    }
}

/// What was read.
pub(crate) struct Opened<T> {
    /// The state or journal.
    pub(crate) content: T,
    /// The key that it is sealed with, if that is not at hand: what is sealed in it is blocked then.
    pub(crate) sealed_with: Option<KeyId>,
}

impl<T> Opened<T> {
    /// The content; the key that is missing is put where it is asked for.
    pub(crate) fn content_or_note(self, missing: &mut Option<KeyId>) -> T {
        *missing = missing.take().or(self.sealed_with);
        self.content
    }
}

impl Files {
    /// Texts that are sealed as a keyring says.
    pub(crate) fn new(keyring: Keyring) -> Self {
        Self { keyring, ..Self::default() }
    }

    /// The keys at hand.
    pub(crate) fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Whether what is written is sealed.
    pub(crate) fn seals(&self) -> bool {
        self.keyring.seals()
    }

    /// Whether the state that was read or written last says that secrets stand in it as they are.
    pub(crate) fn says_unsealed(&self) -> bool {
        self.said.load(Ordering::SeqCst)
    }

    /// The text of a state under this serial, lineage and key.
    pub(crate) fn write_state(&self, state: &State, serial: u64, lineage: &str, secret_key: &[u8]) -> Result<Vec<u8>, NotStorable> {
        let (state, sealed) = self.sealed(state, lineage, secret_key)?;
        state_v1::write_sealed(&state, serial, lineage, sealed)
    }

    /// The same under its own serial and lineage and without its key, in one line that is written as it is made.
    pub(crate) fn write_keyless_state(&self, state: &State, to: &mut dyn Write) -> Result<(), NotStorable> {
        let (sealed_state, sealed) = self.sealed(state, &state.lineage, &[])?;
        state_v1::write_line(&sealed_state, sealed, to)
    }

    /// A state as it is written, what this says of sealing, and its key.
    fn sealed<'s>(&self, state: &'s State, lineage: &str, secret_key: &[u8]) -> Result<(Cow<'s, State>, Sealed), NotStorable> {
        let Some((sealer, sealed_by)) = self.sealer(lineage)? else {
            let unsealed = self.says_unsealed() || holds_secrets(state);
            self.said.store(unsealed, Ordering::SeqCst);
            let sealing = if unsealed { Sealing::None } else { Sealing::Unsaid };
            return Ok((Cow::Borrowed(state), (sealing, StoredKey::Plain(secret_key.to_vec()))));
        };
        self.said.store(false, Ordering::SeqCst);
        let key = StoredKey::Sealed(sealer.own_key(secret_key)?);
        Ok((Cow::Owned(sealer.state(state)?), (Sealing::By(sealed_by), key)))
    }

    /// The state that a text writes.
    pub(crate) fn read_state(&self, text: &str) -> Result<Opened<State>, Unreadable> {
        let (mut state, (sealing, key)) = state_v1::read_sealed(text)?;
        self.said.store(sealing == Sealing::None, Ordering::SeqCst);
        let lineage = state.lineage.clone();
        let Some(opener) = self.opener(&sealing, &lineage)? else {
            state.secret_key = plain_key(key)?;
            return Ok(Opened { content: state, sealed_with: None });
        };
        opener.state(&mut state).map_err(|why| corrupt(0, why))?;
        state.secret_key = sealed_key(&opener, &key)?;
        Ok(Opened { sealed_with: missing(&opener), content: state })
    }

    /// The first line of a journal, with its end.
    pub(crate) fn write_header(&self, header: &Header) -> Result<Vec<u8>, NotStorable> {
        let Some((sealer, sealed_by)) = self.sealer(&header.lineage)? else { return journal_v1::write_header(header) };
        let key = header.secret_key.as_ref().map(|key| sealer.own_key(key).map(StoredKey::Sealed)).transpose()?;
        journal_v1::write_sealed_header(header, (Sealing::By(sealed_by), key))
    }

    /// The lines of entries of the journal of a state with this lineage.
    pub(crate) fn write_entries(&self, lineage: &str, entries: &[Entry]) -> Result<Vec<u8>, NotStorable> {
        let Some((sealer, _)) = self.sealer(lineage)? else { return journal_v1::write_entries(entries) };
        let lines = entries.iter().map(|entry| sealer.entry(entry)).collect::<Result<Vec<_>, _>>()?;
        journal_v1::write_entries(&lines)
    }

    /// The journal that a text holds, or nothing if not even its first line is whole.
    pub(crate) fn read_journal(&self, text: &[u8]) -> Result<Option<Opened<Journal>>, Unreadable> {
        let Some(mut journal) = journal_v1::read(text)? else { return Ok(None) };
        let (sealing, key) = journal.sealed.clone();
        let lineage = journal.header.lineage.clone();
        let Some(opener) = self.opener(&sealing, &lineage).map_err(|error| at_line(1, error))? else {
            journal.header.secret_key = key.map(plain_key).transpose().map_err(|error| at_line(1, error))?;
            return Ok(Some(Opened { content: journal, sealed_with: None }));
        };
        for (at, entry) in journal.entries.iter_mut().enumerate() {
            opener.entry(entry).map_err(|why| corrupt(at + 2, why))?;
        }
        journal.header.secret_key = key.map(|key| sealed_key(&opener, &key)).transpose().map_err(|error| at_line(1, error))?;
        Ok(Some(Opened { sealed_with: missing(&opener), content: journal }))
    }

    fn sealer<'a>(&'a self, lineage: &'a str) -> Result<Option<(Sealer<'a>, SealedBy)>, NotStorable> {
        let none = |_| NotStorable { what: "the state".to_owned(), why: "the system could not make a key to seal it with" };
        let found = self.keyring.writing_key().map_err(none)?;
        Ok(found.map(|(key, sealed_by)| (Sealer { key, texts: &self.texts, lineage }, sealed_by)))
    }

    fn opener<'a>(&'a self, sealing: &'a Sealing, lineage: &'a str) -> Result<Option<Opener<'a>>, Unreadable> {
        let Sealing::By(sealed_by) = sealing else { return Ok(None) };
        let key = self.keyring.key_for(sealed_by).map_err(|why: KeyError| corrupt(0, why.to_string()))?;
        Ok(Some(Opener { key, sealed_by, texts: &self.texts, lineage }))
    }
}

fn missing(opener: &Opener<'_>) -> Option<KeyId> {
    opener.key.is_none().then(|| opener.sealed_by.key.clone())
}

fn plain_key(key: StoredKey) -> Result<Vec<u8>, Unreadable> {
    match key {
        StoredKey::Plain(bytes) => Ok(bytes),
        StoredKey::Sealed(_) => Err(corrupt(0, "`secret_key` is sealed, and nothing says how".to_owned())),
    }
}

fn sealed_key(opener: &Opener<'_>, key: &StoredKey) -> Result<Vec<u8>, Unreadable> {
    match key {
        StoredKey::Sealed(text) => opener.own_key(text).map_err(|why| corrupt(0, why)),
        StoredKey::Plain(_) => Err(corrupt(0, "`secret_key` is not sealed, and what is sensitive in this file is".to_owned())),
    }
}

fn corrupt(line: usize, why: String) -> Unreadable {
    Unreadable::Corrupt { line, column: 0, why }
}

fn at_line(line: usize, error: Unreadable) -> Unreadable {
    match error {
        Unreadable::Corrupt { why, .. } => corrupt(line, why),
        newer @ Unreadable::Newer { .. } => newer,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{KeySource, SealingKey};
    use super::*;
    use crate::sample::{every_entry, longest_address, state_of_everything};
    use engine::value::Value;

    fn key(byte: u8) -> KeySource {
        KeySource::Key(SealingKey::from_bytes(&[byte; 32]).unwrap())
    }

    fn files(byte: u8, fallbacks: &[u8]) -> Files {
        Files::new(Keyring::new(key(byte), fallbacks.iter().map(|byte| key(*byte)).collect()))
    }

    fn written(files: &Files, state: &State) -> String {
        String::from_utf8(files.write_state(state, state.serial, &state.lineage, &state.secret_key).unwrap()).unwrap()
    }

    fn header() -> Header {
        Header { lineage: "l".to_owned(), serial: 7, secret_key: Some(b"the own key".to_vec()) }
    }

    fn journal(files: &Files) -> String {
        let mut text = files.write_header(&header()).unwrap();
        text.extend(files.write_entries("l", &every_entry()).unwrap());
        String::from_utf8(text).unwrap()
    }

    fn refused(read: Result<Opened<State>, Unreadable>) -> String {
        match read {
            Err(Unreadable::Corrupt { why, .. }) => why,
            Err(Unreadable::Newer { .. }) => panic!("newer"),
            Ok(_) => panic!("it was read"),
        }
    }

    #[test]
    fn a_sealed_state_shows_all_but_its_secrets_and_comes_back() {
        let state = state_of_everything();
        let text = written(&files(1, &[]), &state);
        let plain = written(&Files::default(), &state);
        assert!(plain.contains("s3cret") && plain.contains("0001feff") && plain.contains("\"sealing\": \"none\""), "{plain}");
        assert!(!text.contains("s3cret") && !text.contains("0001feff"), "{text}");
        // The sensitive `peer` within `nested`: neither what it holds nor the types and names within.
        assert!(!text.contains("0.1234567890123456789\"\n            }\n          }") && !text.contains("weight\": \"number"), "{text}");
        for shown in ["kind-c1", "topology.istio.io/network", "\"token\"", "sealed:v1:", "\"nested[0][\\\"a \\\\\\\"b\\\\\\\"\\\"]\""] {
            assert!(text.contains(shown), "{shown} in {text}");
        }
        let opened = files(1, &[]).read_state(&text).ok().unwrap();
        assert!(opened.content == state && opened.sealed_with.is_none());
    }

    #[test]
    fn what_did_not_change_keeps_its_text_and_what_did_is_sealed_anew() {
        let mut state = state_of_everything();
        let text = written(&files(1, &[]), &state);
        let later = files(1, &[]);
        later.read_state(&text).ok().unwrap();
        assert_eq!(written(&later, &state), text);
        let record = state.resources.get_mut(&longest_address()).unwrap().current.as_mut().unwrap();
        record.attributes = Value::object([("token", Value::string("other").sensitive())]);
        let changed = written(&later, &state);
        assert_ne!(changed, text);
        let gone = |from: &str, to: &str| from.lines().filter(|line| line.contains("sealed:") && !to.contains(line.trim())).count();
        assert_eq!((gone(&text, &changed), gone(&changed, &text)), (2, 1), "two secrets became one");
        state.secret_key.push(1);
        assert_ne!(written(&later, &state), changed);
    }

    #[test]
    fn the_journal_is_sealed_line_by_line() {
        let text = journal(&files(1, &[]));
        assert!(!text.contains("s3cret") && !text.contains("746865206f776e206b6579"), "{text}");
        let read = files(1, &[]).read_journal(text.as_bytes()).ok().flatten().unwrap();
        assert!(read.content.header == header() && read.content.entries == every_entry() && read.sealed_with.is_none());
        let state = files(1, &[]);
        state.read_journal(text.as_bytes()).ok().flatten().unwrap();
        let carried: Vec<_> = written(&state, &state_of_everything())
            .lines()
            .filter_map(|line| line.split('"').find(|part| part.starts_with("sealed:")).map(str::to_owned))
            .filter(|sealed| text.contains(sealed))
            .collect();
        assert_eq!(carried.len(), 6, "what the journal sealed is written to the state as it is: {carried:?}");
    }

    #[test]
    fn without_the_key_everything_else_is_read_and_nothing_is_written() {
        let state = state_of_everything();
        let (text, lines) = (written(&files(1, &[]), &state), journal(&files(1, &[])));
        for other in [Files::default(), files(2, &[3])] {
            let Opened { content, sealed_with } = other.read_state(&text).ok().unwrap();
            assert_eq!(sealed_with.as_ref(), Some(SealingKey::from_bytes(&[1; 32]).unwrap().id()));
            assert!(content.secret_key.is_empty());
            assert_eq!(content.resources.keys().collect::<Vec<_>>(), state.resources.keys().collect::<Vec<_>>());
            let record = content.record(&longest_address()).unwrap();
            assert_eq!(record.attributes.get("zones"), state.record(&longest_address()).unwrap().attributes.get("zones"));
            assert!(record.attributes.get("token").is_some_and(|token| token.blocked_why().is_some()));
            let error = other.write_state(&content, 8, "l", b"k").unwrap_err();
            assert_eq!(error.why, "it holds a value that is not known");
            let journal = other.read_journal(lines.as_bytes()).ok().flatten().unwrap();
            assert_eq!((journal.content.entries.len(), journal.sealed_with), (every_entry().len(), sealed_with));
            assert_eq!(journal.content.header.secret_key.as_deref(), Some(&[][..]));
        }
    }

    #[test]
    fn what_a_fallback_opens_is_sealed_anew_with_the_first_key() {
        let state = state_of_everything();
        let text = written(&files(1, &[]), &state);
        let rotated = files(2, &[1]);
        assert!(rotated.read_state(&text).ok().unwrap().content == state);
        let text = written(&rotated, &state);
        assert!(files(2, &[]).read_state(&text).ok().unwrap().content == state);
        assert!(files(1, &[]).read_state(&text).ok().unwrap().sealed_with.is_some());
        let opened = Files::new(Keyring::new(key(2), vec![]).opening_only());
        assert!(opened.read_state(&text).ok().unwrap().content == state);
        assert!(Files::default().read_state(&written(&opened, &state)).ok().unwrap().content == state);
    }

    #[test]
    fn a_sealed_value_is_of_no_use_elsewhere() {
        let state = state_of_everything();
        let text = written(&files(1, &[]), &state);
        let mut sealed: Vec<&str> = text.split('"').filter(|part| part.starts_with("sealed:v1:")).collect();
        sealed.sort_unstable();
        assert_eq!(sealed.len(), 7);
        for (at, one) in sealed.iter().enumerate() {
            for other in sealed.iter().skip(at + 1) {
                let swapped = text.replace(one, "?").replace(other, one).replace('?', other);
                let why = refused(files(1, &[]).read_state(&swapped));
                assert!(why.ends_with("it was changed after it was sealed, or was sealed for another place"), "{why}");
            }
        }
        let why = refused(files(1, &[]).read_state(&text.replace("\"lineage\": \"l\"", "\"lineage\": \"m\"")));
        assert!(why.contains("sealed for another place"), "{why}");
    }

    #[test]
    fn what_was_edited_is_refused_and_named() {
        let state = state_of_everything();
        let text = written(&files(1, &[]), &state);
        let name = |byte: u8| SealingKey::from_bytes(&[byte; 32]).unwrap().id().to_string();
        let plain = written(&Files::default(), &state);
        let (_, inner) = text.split_once("\"sealing\"").unwrap();
        let token = inner.split('"').rfind(|part| part.starts_with("sealed:v1:")).unwrap();
        let unsealed_key = "`secret_key` is not sealed, and what is sensitive in this file is";
        for (text, error) in [
            (text.replace(token, "0001feff"), unsealed_key.to_owned()),
            (
                plain.replace("g\": \"none\"", &format!("g\": {{\"key\": \"{}\"}}", name(1))),
                "is not sealed, and what is sensitive in this file is".to_owned(),
            ),
            (text.replacen(&name(1), &name(2), 1), format!("it is sealed with the key `{}`, not with `{}`", name(1), name(2))),
            (plain.replace("0001feff", token), "`secret_key` is sealed, and nothing says how".to_owned()),
        ] {
            for files in [files(1, &[]), files(1, &[2]), files(2, &[]), Files::default()] {
                let why = refused(files.read_state(&text));
                assert!(why.ends_with(&error) && !why.contains("s3cret"), "{why}");
            }
        }
        let mut lines: Vec<_> = journal(&files(1, &[])).lines().map(str::to_owned).collect();
        lines[5] = lines[5].replace("sealed:v1", "sealed:v2");
        match files(1, &[]).read_journal(format!("{}\n", lines.join("\n")).as_bytes()) {
            Err(Unreadable::Corrupt { line: 6, why, .. }) => {
                assert!(why.ends_with("it is sealed in the form `v2`, this meshplan knows `v1`"), "{why}");
            }
            _ => panic!("it was read"),
        }
    }

    #[test]
    fn a_state_says_once_that_secrets_stand_in_it_as_they_are() {
        let plain = State { lineage: "l".to_owned(), ..State::default() };
        let files = Files::default();
        assert!(!written(&files, &plain).contains("sealing"));
        let text = written(&files, &state_of_everything());
        assert!(text.contains("  \"lineage\": \"l\",\n  \"sealing\": \"none\",\n  \"outputs\""), "{text}");
        assert!(files.says_unsealed());
        let files = Files::default();
        assert!(!files.says_unsealed());
        files.read_state(&text).ok().unwrap();
        assert!(files.says_unsealed());
        assert!(written(&files, &plain).contains("\"sealing\": \"none\""), "it is said once");
        assert!(!written(&super::tests::files(1, &[]), &plain).contains("none"));
    }
}
