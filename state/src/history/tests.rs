use super::*;
use crate::sample::state_of_everything;
use crate::sealing::{KeySource, Keyring, SealingKey};
use engine::source::{ModuleKey, ModuleSource, SourceTree};
use engine::value::{Type, Value, parse_number};
use std::fs;

fn state(serial: u64) -> State {
    State { serial, lineage: "l".to_owned(), secret_key: vec![7; 32], ..state_of_everything() }
}

fn account(state: &State) -> Account<'_> {
    let counts = BTreeMap::from([("added".to_owned(), 2), ("failed".to_owned(), 0)]);
    let (now, digest) = (1_700_000_000, Some("sha256:1".to_owned()));
    Account { operation: "apply", now, ending: Ending::Complete, counts, digest, planned: None, state }
}

const PLAN: Option<&dyn PlanText> = Some(&"{\"changes\": [1.50]}");

fn snapshot() -> Snapshot {
    let mut sources = SourceTree::new("mesh");
    let values = sources.add("mesh/mesh.vars.hcl", "token = \"t0psecret\"\n");
    let root = sources.add("mesh/main.mesh.hcl", "output \"a\" {\n  value = 1\n}\n");
    let inner = sources.add("builtin:inner/main.mesh.hcl", "locals {}\n");
    assert_ne!(values, root);
    let of = |directory: &str, file| ModuleSource { directory: directory.to_owned(), files: vec![file], ..ModuleSource::default() };
    let mut module = of("mesh", root);
    module.calls.insert("i".into(), ModuleKey("builtin:inner".into()));
    sources.modules = BTreeMap::from([(ModuleKey(".".into()), module), (ModuleKey("builtin:inner".into()), of("", inner))]);
    let weight = Value::number(parse_number("0.1234567890123456789").unwrap());
    let variables = BTreeMap::from([
        ("token".into(), Value::string("t0psecret")),
        ("nested".into(), Value::object([("key", Value::string("pl4nted").sensitive()), ("weight", weight)])),
        ("names".into(), Value::tuple(vec![Value::number(3), Value::null(), Value::bool(true)])),
    ]);
    let files = FilesRead {
        texts: BTreeMap::from([("mesh/ca.key".to_owned(), Some("t0psecret key\n".into())), ("mesh/none".to_owned(), None)]),
        listings: BTreeMap::from([(("mesh".to_owned(), Some(1)), Some(vec!["ca.key".to_owned()])), (("x".to_owned(), None), None)]),
    };
    Snapshot { sources, variables, sensitive: BTreeSet::from(["token".into(), "nested".into()]), files }
}

fn history() -> (tempfile::TempDir, History) {
    let directory = tempfile::tempdir().unwrap();
    let history = History::new(directory.path().join(".meshplan/history"), Store::new("s")).unwrap();
    (directory, history)
}

fn unpacked(history: &History, number: u64) -> String {
    let mut text = String::new();
    let packed = history.packed(number).unwrap();
    io::Read::read_to_string(&mut MultiGzDecoder::new(packed.as_slice()), &mut text).unwrap();
    text
}

#[test]
fn what_is_written_down_is_found_again() {
    let (_directory, history) = history();
    assert_eq!((history.numbers().unwrap().len(), history.last().unwrap()), (0, None));
    let (first, second) = (state(3), State { serial: 4, ..State::default() });
    let planned = history.pack((PLAN, None), &first).unwrap();
    assert_eq!(history.record(&Account { planned: Some(&planned), ..account(&first) }, Some(50)).unwrap(), 1);
    let second = State { lineage: "l".to_owned(), secret_key: vec![7; 32], ..second };
    assert_eq!(history.record(&Account { operation: "state rm", digest: None, ..account(&second) }, None).unwrap(), 2);
    let head = history.head(1).unwrap();
    assert_eq!((head.number, head.serial, head.time.as_str(), head.operation.as_str()), (1, 3, "2023-11-14T22:13:20Z", "apply"));
    assert_eq!(
        (head.ending, head.counts, head.digest.as_deref()),
        (Ending::Complete, BTreeMap::from([("added".to_owned(), 2)]), Some("sha256:1"))
    );
    assert!(head.by.contains('@'), "{}", head.by);
    assert_eq!(history.last().unwrap().unwrap().number, 2);
    assert_eq!(history.state(1).unwrap(), State { secret_key: Vec::new(), ..first });
    assert_eq!(history.state(2).unwrap(), State { secret_key: Vec::new(), ..second });
    assert_eq!((history.plan(1).unwrap().as_deref(), history.plan(2).unwrap()), (Some("{\"changes\": [1.50]}"), None));
    assert_eq!(history.configuration(1, &[7; 32]).unwrap(), None);
}

#[test]
fn a_configuration_comes_back_and_its_secrets_are_sealed() {
    let (_directory, history) = history();
    let (state, snapshot) = (state(1), snapshot());
    let planned = history.pack((PLAN, Some(&snapshot)), &state).unwrap();
    history.record(&Account { planned: Some(&planned), ..account(&state) }, None).unwrap();
    let text = unpacked(&history, 1);
    let (lines, _) = text.rsplit_once("\n{").unwrap();
    assert!(lines.contains("value = 1") && lines.contains("\"ca.key\"") && lines.contains("[3,null,true]"), "{lines}");
    for secret in ["t0psecret", "pl4nted", &engine::value::hex(&[7; 32])] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let opened = history.configuration(1, &[7; 32]).unwrap().unwrap();
    assert_eq!((&opened.variables, &opened.sensitive, &opened.files), (&snapshot.variables, &snapshot.sensitive, &snapshot.files));
    let texts = |sources: &SourceTree| -> Vec<(String, String, Vec<String>)> {
        let text = |id| sources.file(id).map(|file| format!("{}: {}", file.path, file.text)).unwrap();
        let module = |(key, module): (&ModuleKey, &ModuleSource)| {
            (key.0.to_string(), format!("{} {:?}", module.directory, module.calls), module.files.iter().map(|id| text(*id)).collect())
        };
        sources.modules.iter().map(module).collect()
    };
    assert_eq!(texts(&opened.sources), texts(&snapshot.sources));
    assert_eq!(opened.sources.files.len(), 2, "the file of values is not kept");
    let error = history.configuration(1, &[8; 32]).unwrap_err();
    assert!(matches!(&error, Error::NotOpened { why, .. } if why.contains("it is sealed with the key")), "{error}");
    assert_eq!(error.summary(), "revision not opened");
    assert!(!format!("{snapshot:?} {:?}", snapshot.files).contains("t0psecret"));
}

#[test]
fn a_value_that_is_not_known_is_not_written() {
    let (directory, history) = history();
    let mut snapshot = snapshot();
    snapshot.variables.insert("ip".into(), Value::unknown(Type::String));
    let state = state(1);
    let error = history.pack((PLAN, Some(&snapshot)), &state).unwrap_err();
    assert!(error.to_string().ends_with("variable `ip`: it holds a value that is not known"), "{error}");
    let mut later = state.clone();
    later.outputs.insert("ip".into(), engine::state::Output { value: Value::unknown(Type::String), sensitive: false });
    let error = history.record(&account(&later), None).unwrap_err();
    assert_eq!(error.summary(), "value not storable", "{error}");
    assert!(!directory.path().join(".meshplan").exists(), "nothing is written");
}

#[test]
fn the_text_of_a_state_is_what_its_file_holds() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::new(directory.path().join("s.json"));
    let history = History::new(directory.path().join("history"), store.clone()).unwrap();
    let (locked, mut loaded) = store.lock("apply", std::time::Duration::ZERO).unwrap();
    loaded.state = State { lineage: loaded.state.lineage, secret_key: loaded.state.secret_key, ..state_of_everything() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(engine::port::Guard::fold(&locked, &loaded.state)).unwrap();
    let kept = State { serial: 1, ..loaded.state };
    // A revision of that serial is a copy of the file; of any other it is written anew.
    for serial in [1, 2] {
        let state = State { serial, ..kept.clone() };
        let number = history.record(&account(&state), None).unwrap();
        assert_eq!(history.state(number).unwrap(), State { secret_key: Vec::new(), ..state });
        let text = unpacked(&history, number);
        assert_eq!(text.lines().count(), revision_v1::LINES_BEFORE_STATE + 1, "{text}");
        assert_eq!(text.contains("\"serial\": 1"), serial == 1, "{text}");
        assert!(!text.contains(&engine::value::hex(&kept.secret_key)), "{text}");
    }
}

#[test]
fn the_latest_are_kept_and_numbers_only_grow() {
    let (_directory, history) = history();
    let state = state(1);
    let numbers = |history: &History| history.numbers().unwrap().into_iter().collect::<Vec<_>>();
    for _ in 0..12 {
        history.record(&account(&state), Some(3)).unwrap();
    }
    assert_eq!(numbers(&history), [10, 11, 12]);
    history.record(&account(&state), None).unwrap();
    assert_eq!(numbers(&history), [10, 11, 12, 13], "without a bound none is removed");
    history.record(&account(&state), Some(1)).unwrap();
    assert_eq!(numbers(&history), [14]);
    let error = history.state(3).unwrap_err();
    assert_eq!(error.help().unwrap(), "`meshplan state history` lists those from @14 to @14");
    history.record(&account(&state), Some(0)).unwrap();
    assert_eq!(numbers(&history), [] as [u64; 0], "a bound of none keeps none");
}

#[test]
fn what_a_killed_write_left_is_no_revision_and_no_obstacle() {
    let (_directory, history) = history();
    let state = state(1);
    history.record(&account(&state), None).unwrap();
    for leftover in ["2.json.gz.new", "3.json", "notes.txt", "x.json.gz"] {
        fs::write(history.place().join(leftover), "half").unwrap();
    }
    assert_eq!(history.numbers().unwrap().len(), 1);
    assert_eq!(history.record(&account(&state), None).unwrap(), 2);
    assert!(!history.place().join("2.json.gz.new").exists());
}

#[test]
fn a_damaged_revision_is_told_and_hides_no_other() {
    let (_directory, history) = history();
    let state = state(1);
    for _ in 0..3 {
        history.record(&account(&state), None).unwrap();
    }
    let whole = fs::read(history.path(2)).unwrap();
    fs::write(history.path(2), &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(history.state(2), Err(Error::Corrupt { .. })));
    fs::write(history.path(2), "no gzip").unwrap();
    assert_eq!([1, 2, 3].map(|number| history.head(number).is_ok()), [true, false, true]);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"{\"version\": 9, \"meshplan_version\": \"9.9.9\", \"more\": 1}\n").unwrap();
    fs::write(history.path(2), packed.finish().unwrap()).unwrap();
    assert!(matches!(history.head(2), Err(Error::Newer { version: 9, known: 1, .. })));
}

#[test]
fn a_history_is_copied_with_its_numbers_where_there_is_none() {
    let ((_one, from), (_other, to)) = (history(), history());
    for serial in 1..6 {
        from.record(&account(&state(serial)), Some(3)).unwrap();
    }
    assert_eq!((from.copy_to(&from.clone()).unwrap(), from.copy_to(&to).unwrap()), (0, 3));
    assert_eq!(to.heads().unwrap().into_iter().map(|head| head.unwrap().serial).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!((to.numbers().unwrap(), to.packed(4).unwrap()), (from.numbers().unwrap(), from.packed(4).unwrap()));
    from.record(&account(&state(6)), None).unwrap();
    assert_eq!((from.copy_to(&to).unwrap(), to.numbers().unwrap().len()), (0, 3), "two histories are never mixed");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_a_revision() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, history) = history();
    history.record(&account(&state(1)), None).unwrap();
    assert_eq!(fs::metadata(history.path(1)).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error_and_no_panic() {
    let (directory, _) = history();
    let taken = directory.path().join("taken");
    fs::write(&taken, "").unwrap();
    let history = History::new(taken.join("history"), Store::new("s")).unwrap();
    assert!(matches!(history.record(&account(&state(1)), None), Err(Error::Io { .. })));
}

#[test]
fn with_a_key_at_hand_the_state_is_sealed_as_well() {
    let (_directory, history) = history();
    let key = |byte| Keyring::new(KeySource::Key(SealingKey::from_bytes(&[byte; 32]).unwrap()), Vec::new());
    let with = |keyring| History::new(history.place(), Store::new("s").with_keys(keyring)).unwrap();
    let state = state(1);
    with(key(1)).record(&account(&state), None).unwrap();
    assert!(!unpacked(&history, 1).contains("s3cret"));
    assert_eq!(with(key(1)).state(1).unwrap(), State { secret_key: Vec::new(), ..state.clone() });
    let other = with(key(2));
    assert!(matches!(other.state(1), Err(Error::Sealed { .. })));
    assert_eq!(other.readable_state(1).unwrap().resources.len(), state.resources.len());
}
