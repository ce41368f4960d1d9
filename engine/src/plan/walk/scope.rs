//! What names mean while planning.

use super::skeleton::Item;
use super::tables::{Binding, Instances, Keys, Tables};
use crate::address::{Key, ModulePath};
use crate::config::{ResourceName, Root};
use crate::diagnostic::{Diagnostic, Problems};
use crate::eval::{Arena, FileAnswer, Scope, Surroundings};
use crate::plan::Inputs;
use crate::question::{Answer, Answers, Ask, Question, Questions};
use crate::source::Span;
use crate::value::{Data, Entry, Mapping, MappingKind, Type, Value};
use std::sync::Arc;

/// The names visible at one place of the configuration.
pub(super) struct Lookup<'a> {
    pub(super) tables: &'a Tables,
    pub(super) inputs: &'a Inputs,
    pub(super) answers: &'a Answers,
    pub(super) questions: &'a mut Questions,
    /// The static module.
    pub(super) module: usize,
    /// The module instance.
    pub(super) path: &'a ModulePath,
    /// `each` or `count`.
    pub(super) binding: Option<&'a Binding>,
    /// `self`.
    pub(super) itself: Option<&'a Value>,
    /// Data sources of the check around the expression.
    pub(super) scoped: Option<&'a super::probes::Scoped>,
}

impl Scope for Lookup<'_> {
    fn resolve(&mut self, root: &Root, span: Span, _: &mut Arena) -> Result<Value, Problems> {
        match root {
            Root::Variable(name) => self.valued(&Item::Variable(name.clone()), "variable", name, span),
            Root::Local(name) => self.valued(&Item::Local(name.clone()), "local", name, span),
            Root::Resource(mode, kind, name) => self.resource(&ResourceName { mode: *mode, kind: kind.clone(), name: name.clone() }, span),
            Root::Module(name) => self.called(name, span),
            Root::EachKey | Root::EachValue | Root::CountIndex => self.bound(root, span),
            Root::Itself => self.itself.cloned().ok_or_else(|| problem("no `self` here", "`self` stands in postconditions only", span)),
            Root::PathModule => Ok(Value::string(self.directory())),
            Root::PathRoot => Ok(Value::string(shown(&self.inputs.root_directory))),
            Root::PathCwd => Ok(Value::string(self.inputs.surroundings.working_directory.clone())),
            Root::Bound(name) => Err(problem("unknown name", &format!("nothing here is called `{name}`"), span)),
            Root::Element => Err(problem("unknown name", "there is no splat around this", span)),
        }
    }

    fn file(&mut self, path: &str) -> FileAnswer {
        self.looked(Question::new(Ask::File { path: path.into() }), path)
    }

    fn files(&mut self, directory: &str, depth: Option<usize>) -> FileAnswer {
        self.looked(Question::new(Ask::Files { directory: directory.into(), depth }), directory)
    }

    fn surroundings(&self) -> Surroundings {
        self.inputs.surroundings.clone()
    }
}

impl Lookup<'_> {
    /// What a question about files at a path was answered; it is asked if it was not.
    fn looked(&mut self, question: Question, path: &str) -> FileAnswer {
        match self.answers.get(question.key()) {
            None => {
                self.questions.insert(question.key().clone(), question);
                FileAnswer::Pending
            }
            Some(Answer::Present(value)) => match (value.as_str(), value.items()) {
                (Some(text), _) => FileAnswer::Text(text.into()),
                (None, items) => FileAnswer::Paths(items.iter().filter_map(Value::as_str).map(Arc::from).collect()),
            },
            Some(Answer::Absent) => FileAnswer::Absent,
            Some(Answer::Unreachable(why)) => FileAnswer::Refused(format!("`{path}` cannot be read: {why}")),
            Some(Answer::Refused(problem)) => FileAnswer::Refused(problem.detail.clone()),
            Some(Answer::Conflict(_)) => FileAnswer::Refused(format!("`{path}` cannot be read")),
        }
    }

    fn valued(&self, item: &Item, what: &str, name: &str, span: Span) -> Result<Value, Problems> {
        let Some(node) = self.tables.skeleton.find(self.module, item) else {
            return Err(problem(&format!("unknown {what}"), &format!("no {what} `{name}` is declared in this module"), span));
        };
        Ok(self.tables.value(node, self.path).cloned().unwrap_or_else(|| Value::pending(Type::Any)))
    }

    fn resource(&self, name: &ResourceName, span: Span) -> Result<Value, Problems> {
        if let Some(value) = self.scoped.and_then(|scoped| scoped.get(name)) {
            return Ok(value.clone());
        }
        let Some(node) = self.tables.skeleton.find(self.module, &Item::Resource(name.clone())) else {
            let detail = format!("no block `{}.{}` is declared in this module", name.kind, name.name);
            return Err(problem("unknown resource", &detail, span));
        };
        let group = self.tables.group(node, self.path);
        Ok(match group {
            Some(group) => match (&group.keys, &group.value) {
                (Keys::Blocked(why), _) => Value::blocked(why.clone()),
                (Keys::Failed, _) => Value::blocked(super::FAILED),
                (_, Some(value)) => value.clone(),
                (_, None) => Value::pending(Type::Any),
            },
            None => Value::pending(Type::Any),
        })
    }

    fn called(&self, name: &Arc<str>, span: Span) -> Result<Value, Problems> {
        let Some(target) = self.tables.skeleton.modules[self.module].calls.get(name) else {
            return Err(problem("unknown module", &format!("no module `{name}` is called here"), span));
        };
        let instances = match &self.tables.modules[*target] {
            Instances::Open => return Ok(Value::pending(Type::Any)),
            Instances::Blocked(why) => return Ok(Value::blocked(why.clone())),
            Instances::Failed => return Ok(Value::blocked(super::FAILED)),
            Instances::Known(instances) => instances,
        };
        let mut entries = Vec::new();
        let mut numbered = Vec::new();
        for instance in instances {
            let Some((caller, step)) = instance.path.parent() else { continue };
            if caller != *self.path {
                continue;
            }
            let outputs = self.outputs(*target, &instance.path);
            match &step.key {
                Key::None => return Ok(outputs),
                Key::Number(_) => numbered.push(outputs),
                Key::Text(key) => entries.push(Entry { key: key.clone(), key_origin: instance.binding.origin, value: outputs }),
            }
        }
        let call = &self.tables.skeleton.modules[self.module].module.calls[name];
        if matches!(call.repetition, crate::config::Repetition::Count(_)) {
            return Ok(Value::tuple(numbered));
        }
        Ok(Value::new(Data::Mapping(Arc::new(Mapping::new(MappingKind::Object, entries)))))
    }

    fn outputs(&self, module: usize, path: &ModulePath) -> Value {
        let outputs = self.tables.skeleton.of_module(module).filter_map(|(node, item)| match item {
            Item::Output(name) => Some((name.clone(), self.tables.value(node, path).cloned().unwrap_or_else(|| Value::pending(Type::Any)))),
            _ => None,
        });
        Value::object(outputs)
    }

    fn bound(&self, root: &Root, span: Span) -> Result<Value, Problems> {
        let found = self.binding.and_then(|binding| match (root, &binding.key, &binding.value) {
            (Root::EachKey, Key::Text(key), Some(_)) => Some(Value::string(key.clone()).with_origin(binding.origin)),
            (Root::EachValue, Key::Text(_), Some(value)) => Some(value.clone()),
            (Root::CountIndex, Key::Number(index), _) => Some(Value::number(*index)),
            _ => None,
        });
        found.ok_or_else(|| match root {
            Root::CountIndex => problem("no `count` here", "`count.index` stands only in a block with `count`", span),
            _ => problem("no `for_each` here", "`each` stands only in a block with `for_each`", span),
        })
    }

    /// The module's directory as `path.module` shows it.
    fn directory(&self) -> String {
        shown(&self.tables.skeleton.modules[self.module].module.directory)
    }
}

fn shown(directory: &str) -> String {
    if directory.is_empty() { ".".to_owned() } else { directory.to_owned() }
}

fn problem(summary: &str, detail: &str, span: Span) -> Problems {
    vec![Diagnostic::error(summary, detail).at(span)]
}
