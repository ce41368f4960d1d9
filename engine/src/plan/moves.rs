//! What `moved` blocks make of the addresses that a state holds.

use crate::address::{Address, AddressParts, Key, Mode, ModulePath, ModuleStep};
use crate::config::{Config, Module, Moved, Removed, Repetition, Subject};
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::ModuleKey;
use crate::state::State;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A block and the calls that lead to the module it stands in.
struct Statement<'c, T> {
    calls: Vec<Arc<str>>,
    block: &'c T,
}

/// Renamed addresses, and what is remembered of what goes.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// Old and new address, in order of the old ones.
    pub(super) renamed: Vec<(Address, Address)>,
    /// What `removed` blocks give up without deleting it.
    given_up: Vec<(Vec<Arc<str>>, Subject)>,
    /// `moved` blocks of one instance, and the calls that lead to them: what they move must not be desired any more.
    of_instances: Vec<(Vec<Arc<str>>, Moved)>,
    pub(super) problems: Problems,
}

impl Moves {
    /// What a configuration says of a state.
    pub(super) fn new(config: &Config, state: &State) -> Self {
        let mut moves = Self::default();
        let (mut renaming, mut leaving, mut by_count) = (Vec::new(), Vec::new(), Vec::new());
        let any_first = state.resources.keys().any(has_index);
        visit(config, &config.root, &mut Vec::new(), &mut |calls, module| {
            renaming.extend(module.moved.iter().map(|block| Statement { calls: calls.to_vec(), block }));
            leaving.extend(module.removed.iter().map(|block| Statement { calls: calls.to_vec(), block }));
            if any_first || counts(module) {
                by_count.extend(implied(module).into_iter().map(|block| (calls.to_vec(), block)));
            }
        });
        for statement in &renaming {
            moves.check(config, &renaming, statement);
        }
        if let Some(at) = renaming.iter().find_map(|statement| follow(&renaming, &example(statement)).err()) {
            moves.problems.push(in_a_circle(renaming[at].block));
        }
        for statement in leaving {
            moves.give_up(config, statement);
        }
        if moves.problems.is_empty() && !(renaming.is_empty() && by_count.is_empty()) {
            let implied = by_count.iter().map(|(calls, block)| Statement { calls: calls.clone(), block });
            let statements: Vec<_> = renaming.into_iter().chain(implied).collect();
            moves.rename(&statements, state);
        }
        moves
    }

    /// Whether a `removed` block says to leave the thing where it is.
    pub(super) fn gives_up(&self, address: &Address) -> bool {
        self.given_up.iter().any(|(calls, from)| {
            let Some((_, rest)) = below(address, calls) else { return false };
            match from {
                Subject::Module(module) => same_calls(rest, module.steps()),
                Subject::Resource(of) => {
                    rest.len() == of.module.steps().len()
                        && same_calls(rest, of.module.steps())
                        && (&of.kind, &of.name) == (&address.kind, &address.name)
                }
            }
        })
    }

    /// What has moved away from where an instance is desired.
    pub(super) fn still_desired(&self, desired: &[&Address]) -> Problems {
        let still = self.of_instances.iter().filter_map(|(calls, block)| {
            let address = desired.iter().find(|address| target(calls, (&block.from, &block.to), address).is_some())?;
            Some(still_there(block).about(address))
        });
        still.collect()
    }

    fn check(&mut self, config: &Config, all: &[Statement<'_, Moved>], statement: &Statement<'_, Moved>) {
        let block = statement.block;
        let of = if has_own_key(&block.to) { Extent::Instance } else { Extent::Block };
        if let Some(still) = declared(config, &statement.calls, (&block.from, of)) {
            self.problems.push(still_there(block).related(still, "it is declared here"));
        } else if block.from.has_key() {
            self.of_instances.push((statement.calls.clone(), block.clone()));
        }
        let others = all.iter().take_while(|other| !std::ptr::eq(other.block, block)).filter(|other| other.calls == statement.calls);
        // Twice the same is said once.
        let differs = |other: &&Statement<'_, Moved>| (other.block.from == block.from) != (other.block.to == block.to);
        for other in others.filter(differs) {
            let detail = if other.block.from == block.from {
                format!("`{}` cannot move to `{}` and to `{}`", block.from, other.block.to, block.to)
            } else {
                format!("`{}` and `{}` cannot both move to `{}`", other.block.from, block.from, block.to)
            };
            let problem = Diagnostic::error("ambiguous move", detail).at(block.span);
            self.problems.push(problem.related(other.block.span, "the other one is here"));
        }
    }

    fn give_up(&mut self, config: &Config, statement: Statement<'_, Removed>) {
        let block = statement.block;
        if let Some(still) = declared(config, &statement.calls, (&block.from, Extent::Block)) {
            let detail = format!("`{}` is said to be removed, and is still in the configuration", block.from);
            let problem = Diagnostic::error("removed object still exists", detail).at(block.span).related(still, "it is declared here");
            self.problems.push(problem.help("Remove one of the two."));
        } else if !block.destroy {
            self.given_up.push((statement.calls, block.from.clone()));
        }
    }

    fn rename(&mut self, statements: &[Statement<'_, Moved>], state: &State) {
        let mut taken: BTreeMap<Address, Address> = BTreeMap::new();
        for address in state.resources.keys() {
            let to = match follow(statements, address) {
                Ok(Some(to)) => to,
                Ok(None) => continue,
                Err(at) => return self.problems.push(in_a_circle(statements[at].block)),
            };
            let stays = state.resources.contains_key(&to) && !matches!(follow(statements, &to), Ok(Some(_)));
            let detail = match taken.get(&to) {
                _ if stays => format!("`{address}` stays where it is and is not desired any more: the state has another `{to}`"),
                Some(first) => format!("`{address}` stays where it is and is not desired any more: `{first}` moves to `{to}`"),
                None => {
                    taken.insert(to.clone(), address.clone());
                    self.renamed.push((address.clone(), to));
                    continue;
                }
            };
            self.problems.push(Diagnostic::warning("address not moved", detail).about(address));
        }
    }
}

/// What a subject that has no key of its own means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// The block, with all its instances.
    Block,
    /// The one instance of a block that is not repeated.
    Instance,
}

fn still_there(block: &Moved) -> Diagnostic {
    let detail = format!("`{}` has moved to `{}`, and is still in the configuration", block.from, block.to);
    let problem = Diagnostic::error("moved object still exists", detail).at(block.span);
    problem.help("Take what has moved out of the configuration, or remove the `moved` block.")
}

fn in_a_circle(block: &Moved) -> Diagnostic {
    let detail = format!("what is at `{}` would move in a circle, back to where it was", block.from);
    Diagnostic::error("circular move", detail).at(block.span).help("Remove one of the `moved` blocks.")
}

fn has_own_key(subject: &Subject) -> bool {
    match subject {
        Subject::Module(module) => module.steps().last().is_some_and(|step| step.key != Key::None),
        Subject::Resource(address) => address.key != Key::None,
    }
}

/// An address that a statement is about.
fn example(statement: &Statement<'_, Moved>) -> Address {
    let calls = statement.calls.iter().fold(ModulePath::root(), |module, call| module.child(call, Key::None));
    match &statement.block.from {
        Subject::Resource(from) => {
            let module = joined(calls.steps(), from.module.steps());
            AddressParts { module, ..AddressParts::clone(from) }.into()
        }
        Subject::Module(from) => {
            let module = joined(calls.steps(), from.steps());
            AddressParts { module, ..AddressParts::clone(&Address::managed("kind", "name")) }.into()
        }
    }
}

/// Where an address leads; nothing if it stays. In a circle the error is the index of a statement of it.
fn follow(statements: &[Statement<'_, Moved>], address: &Address) -> Result<Option<Address>, usize> {
    let mut here: Option<Address> = None;
    let mut used = BTreeSet::new();
    loop {
        let at = here.as_ref().unwrap_or(address);
        let next = statements.iter().enumerate().find_map(|(index, statement)| {
            let to = target(&statement.calls, (&statement.block.from, &statement.block.to), at)?;
            (to != *at).then_some((index, to))
        });
        let Some((index, to)) = next else { return Ok(here.filter(|here| here != address)) };
        if !used.insert(index) {
            return Err(index);
        }
        here = Some(to);
    }
}

/// Where a statement in the module that these calls lead to leads an address that it is about.
pub(super) fn target(calls: &[Arc<str>], statement: (&Subject, &Subject), address: &Address) -> Option<Address> {
    let (base, rest) = below(address, calls)?;
    match statement {
        (Subject::Resource(from), Subject::Resource(to)) => {
            let whole = from.key == Key::None && to.key == Key::None;
            let named = (&from.kind, &from.name, from.mode) == (&address.kind, &address.name, address.mode);
            if !named || from.module.steps() != rest || !(whole || from.key == address.key) {
                return None;
            }
            let key = if whole { address.key.clone() } else { to.key.clone() };
            let module = joined(base, to.module.steps());
            Some(AddressParts { module, name: to.name.clone(), key, ..AddressParts::clone(address) }.into())
        }
        (Subject::Module(from), Subject::Module(to)) => {
            let (from, last) = from.parent()?;
            let (inside, new) = to.parent()?;
            let step = rest.get(from.steps().len())?;
            let whole = last.key == Key::None && new.key == Key::None;
            if !rest.starts_with(from.steps()) || step.name != last.name || !(whole || step.key == last.key) {
                return None;
            }
            let key = if whole { step.key.clone() } else { new.key.clone() };
            let module = joined(base, inside.steps()).child(&new.name, key);
            let module = rest[from.steps().len() + 1..].iter().fold(module, |module, step| module.child(&step.name, step.key.clone()));
            Some(AddressParts { module, ..AddressParts::clone(address) }.into())
        }
        _ => None,
    }
}

/// The instance of a module that an address lies in, and the steps from there.
fn below<'a>(address: &'a Address, calls: &[Arc<str>]) -> Option<(&'a [ModuleStep], &'a [ModuleStep])> {
    let (base, rest) = address.module.steps().split_at_checked(calls.len())?;
    base.iter().zip(calls).all(|(step, call)| step.name == *call).then_some((base, rest))
}

fn same_calls(steps: &[ModuleStep], calls: &[ModuleStep]) -> bool {
    steps.len() >= calls.len() && steps.iter().zip(calls).all(|(step, call)| step.name == call.name)
}

fn joined(base: &[ModuleStep], steps: &[ModuleStep]) -> ModulePath {
    base.iter().chain(steps).fold(ModulePath::root(), |module, step| module.child(&step.name, step.key.clone()))
}

fn has_index(address: &Address) -> bool {
    address.key == Key::Number(0) || address.module.steps().iter().any(|step| step.key == Key::Number(0))
}

fn counts(module: &Module) -> bool {
    let count = |repetition: &Repetition| matches!(repetition, Repetition::Count(_));
    module.resources.values().any(|block| count(&block.repetition)) || module.calls.values().any(|call| count(&call.repetition))
}

/// A block that gets `count` goes on as its first instance, and the other way round.
fn implied(module: &Module) -> Vec<Moved> {
    let mut found = Vec::new();
    let mut add = |repetition: &Repetition, without: Subject, with: Subject, span| match repetition {
        Repetition::Count(_) => found.push(Moved { from: without, to: with, span }),
        Repetition::Once => found.push(Moved { from: with, to: without, span }),
        Repetition::ForEach(_) => {}
    };
    for block in module.resources.values().filter(|block| block.name.mode == Mode::Managed) {
        let address = Address::managed(&block.name.kind, &block.name.name);
        add(&block.repetition, Subject::Resource(address.clone()), Subject::Resource(address.with_key(Key::Number(0))), block.span);
    }
    for (name, call) in &module.calls {
        let of = |key| Subject::Module(ModulePath::root().child(name, key));
        add(&call.repetition, of(Key::None), of(Key::Number(0)), call.span);
    }
    found
}

/// Where what a subject without keys names is declared.
fn declared(config: &Config, calls: &[Arc<str>], (subject, of): (&Subject, Extent)) -> Option<crate::source::Span> {
    let is_meant = |repetition: &Repetition| of == Extent::Block || matches!(repetition, Repetition::Once);
    let steps = match subject {
        Subject::Module(module) => module.steps(),
        Subject::Resource(address) => address.module.steps(),
    };
    let (inner, last) = match subject {
        Subject::Module(_) => steps.split_last().map(|(last, inner)| (inner, Some(last)))?,
        Subject::Resource(_) => (steps, None),
    };
    let keyed = |steps: &[ModuleStep]| steps.iter().any(|step| step.key != Key::None);
    if keyed(steps) {
        return None;
    }
    let mut module = config.modules.get(&config.root)?;
    for name in calls.iter().chain(inner.iter().map(|step| &step.name)) {
        module = config.modules.get(&module.calls.get(name)?.module)?;
    }
    match (subject, last) {
        (Subject::Resource(address), _) if address.key == Key::None => {
            let found = module
                .resources
                .values()
                .find(|block| (&block.name.kind, &block.name.name, block.name.mode) == (&address.kind, &address.name, Mode::Managed));
            found.filter(|block| is_meant(&block.repetition)).map(|block| block.span)
        }
        (Subject::Module(_), Some(last)) => module.calls.get(&last.name).filter(|call| is_meant(&call.repetition)).map(|call| call.span),
        _ => None,
    }
}

/// Visits every module as often as it is called, with the names of the calls that lead to it.
fn visit<'c>(config: &'c Config, key: &ModuleKey, calls: &mut Vec<Arc<str>>, visitor: &mut dyn FnMut(&[Arc<str>], &'c Module)) {
    let Some(module) = config.modules.get(key) else { return };
    visitor(calls, module);
    for (name, call) in &module.calls {
        // A circle of calls is an error that is reported when the configuration is read.
        if calls.len() < config.modules.len() {
            calls.push(name.clone());
            visit(config, &call.module, calls, visitor);
            calls.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use crate::source::{ModuleSource, SourceTree};
    use crate::state::{Entry, Record, RecordId};

    /// A root module, and a module that calls named `m`, `n` and `deep` lead to.
    fn moves(root: &str, inner: &str, addresses: &[&str]) -> Moves {
        let mut tree = SourceTree::new(".");
        tree.modules.clear();
        for (key, text) in [(".", root), ("./inner", inner)] {
            let file = tree.add(key, text);
            let calls = ["m", "n", "deep"].map(|name| (name.into(), ModuleKey("./inner".into()))).into();
            tree.modules.insert(ModuleKey(key.into()), ModuleSource { directory: String::new(), files: vec![file], calls });
        }
        let (config, problems) = parse(&tree, &[]);
        assert!(problems.is_empty(), "{problems:?}");
        let mut state = State::default();
        for address in addresses {
            let record = Record::new(RecordId::new(address), "k");
            state.apply(&Entry::Put { address: address.parse().unwrap(), deposed: None, record });
        }
        Moves::new(&config, &state)
    }

    fn moved(from: &str, to: &str) -> String {
        format!("moved {{\n  from = {from}\n  to = {to}\n}}\n")
    }

    fn lines(moves: &Moves) -> Vec<String> {
        moves.renamed.iter().map(|(from, to)| format!("{from} -> {to}")).collect()
    }

    const CALLS: &str =
        "module \"m\" {\n  source = \"./inner\"\n}\nmodule \"n\" {\n  source = \"./inner\"\n  for_each = toset([\"x\"])\n}\n";

    #[test]
    fn addresses_follow_their_blocks() {
        let rows: &[(&str, String, &[&str], &[&str])] = &[
            (
                "whole blocks keep keys and members",
                moved("k.a", "k.b"),
                &["k.a[\"x\"]", "k.a[0]/Pod/p"],
                &["k.a[0]/Pod/p -> k.b[0]/Pod/p", "k.a[\"x\"] -> k.b[\"x\"]"],
            ),
            ("twice the same", moved("k.a", "k.b") + &moved("k.a", "k.b"), &["k.a"], &["k.a -> k.b"]),
            ("instances", moved("k.a[0]", "k.a[\"x\"]"), &["k.a[0]", "k.a[1]"], &["k.a[0] -> k.a[\"x\"]"]),
            (
                "a block that is repeated from now on",
                "resource \"k\" \"a\" {\n  for_each = {}\n}\n".to_owned() + &moved("k.a", "k.a[\"x\"]"),
                &["k.a"],
                &["k.a -> k.a[\"x\"]"],
            ),
            ("from a block into a key", moved("k.a", "k.b[\"x\"]"), &["k.a", "k.a[0]"], &["k.a -> k.b[\"x\"]"]),
            ("chains", moved("k.a", "k.b") + &moved("k.b", "k.c"), &["k.a"], &["k.a -> k.c"]),
            ("into a module", CALLS.to_owned() + &moved("k.a", "module.m.k.b"), &["k.a"], &["k.a -> module.m.k.b"]),
            (
                "out of a module",
                CALLS.to_owned() + &moved("module.n[\"x\"].k.b", "k.z"),
                &["module.n[\"x\"].k.b", "module.n[\"y\"].k.b"],
                &["module.n[\"x\"].k.b -> k.z"],
            ),
            (
                "modules",
                moved("module.a", "module.b"),
                &["k.a", "module.a[0].k.a", "module.a[0].module.c.k.a"],
                &["module.a[0].k.a -> module.b[0].k.a", "module.a[0].module.c.k.a -> module.b[0].module.c.k.a"],
            ),
            (
                "one instance of a module",
                moved("module.a", "module.b[\"x\"]"),
                &["module.a.k.a", "module.a[1].k.a"],
                &["module.a.k.a -> module.b[\"x\"].k.a"],
            ),
            ("count comes", "resource \"k\" \"a\" {\n  count = 2\n}\n".to_owned(), &["k.a"], &["k.a -> k.a[0]"]),
            ("count goes", "resource \"k\" \"a\" {}\n".to_owned(), &["k.a[0]", "k.a[1]"], &["k.a[0] -> k.a"]),
            ("count of a module goes", CALLS.to_owned(), &["module.m[0].k.a"], &["module.m[0].k.a -> module.m.k.a"]),
        ];
        for (name, text, addresses, expected) in rows {
            let found = moves(text, "", addresses);
            assert_eq!((lines(&found), found.problems.len()), (expected.iter().map(ToString::to_string).collect(), 0), "{name}");
        }
    }

    #[test]
    fn blocks_within_a_module_are_about_every_instance_of_it() {
        let found = moves(CALLS, &moved("k.a", "k.b"), &["k.a", "module.m.k.a", "module.n[\"x\"].k.a"]);
        assert_eq!(lines(&found), ["module.m.k.a -> module.m.k.b", "module.n[\"x\"].k.a -> module.n[\"x\"].k.b"]);
    }

    #[test]
    fn what_cannot_move_is_said() {
        let declared = "resource \"k\" \"a\" {}\n";
        let counted = "resource \"k\" \"a\" {\n  count = 2\n}\n";
        for (text, addresses, summary, renamed) in [
            (declared.to_owned() + &moved("k.a", "k.b"), vec!["k.a"], "moved object still exists", 0),
            (CALLS.to_owned() + &moved("module.m", "module.o"), vec![], "moved object still exists", 0),
            (moved("k.a", "k.b") + &moved("k.a", "k.c"), vec![], "ambiguous move", 0),
            (moved("k.a", "k.c") + &moved("k.b", "k.c"), vec![], "ambiguous move", 0),
            (moved("k.a", "k.b") + &moved("k.b", "k.a"), vec!["k.a"], "circular move", 0),
            (moved("k.a", "k.b"), vec!["k.a", "k.b"], "address not moved", 0),
            (moved("k.a[0]", "k.c[0]") + &moved("k.b", "k.c"), vec!["k.a[0]", "k.b[0]"], "address not moved", 1),
            (declared.to_owned() + "removed {\n  from = k.a\n}\n", vec!["k.a"], "removed object still exists", 0),
            (counted.to_owned() + "removed {\n  from = k.a\n}\n", vec![], "removed object still exists", 0),
            (counted.to_owned() + &moved("k.a", "k.b"), vec![], "moved object still exists", 0),
            (CALLS.to_owned() + &moved("module.n", "module.o"), vec![], "moved object still exists", 0),
            (moved("k.a", "k.b") + &moved("k.b", "k.a"), vec![], "circular move", 0),
            (moved("k.a[0]", "k.a[1]") + &moved("k.a[1]", "k.a[0]"), vec![], "circular move", 0),
            (moved("module.x", "module.y") + &moved("module.y", "module.x"), vec![], "circular move", 0),
            (moved("module.n[\"x\"]", "module.n[\"x\"].module.deep"), vec![], "circular move", 0),
        ] {
            let found = moves(&text, "", &addresses);
            let summaries: Vec<_> = found.problems.iter().map(|problem| problem.summary.as_str()).collect();
            assert_eq!((summaries, found.renamed.len()), (vec![summary], renamed), "{text}");
        }
    }

    #[test]
    fn what_is_given_up_is_named_with_all_its_instances() {
        let removed = "removed {\n  from = k.a\n  lifecycle {\n    destroy = false\n  }\n}\nremoved {\n  from = module.x\n  lifecycle {\n    destroy = false\n  }\n}\nremoved {\n  from = k.gone\n}\n";
        let found = moves(removed, "", &[]);
        for (address, expected) in [
            ("k.a", true),
            ("k.a[\"x\"]/Pod/p", true),
            ("module.x[1].k.z", true),
            ("k.b", false),
            ("module.y.k.a", false),
            ("k.gone", false),
        ] {
            assert_eq!(found.gives_up(&address.parse().unwrap()), expected, "{address}");
        }
    }
}
