//! Values of variables that a test gives.

use engine::config::{Argument, Root};
use engine::diagnostic::{Diagnostic, Problems};
use engine::eval::{Arena, FileAnswer, Scope, Surroundings, evaluate};
use engine::plan::Inputs;
use engine::port::Files;
use engine::question::Answer;
use engine::source::Span;
use engine::value::{Data, Entry, Mapping, Sequence, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Values by name.
pub(super) type Values = BTreeMap<Arc<str>, Value>;

/// What the values of variables may refer to.
pub(super) struct Given<'a> {
    /// Values of variables.
    pub(super) variables: Values,
    /// Defaults of variables that have no value.
    pub(super) defaults: &'a Values,
    /// Outputs of the runs before.
    pub(super) former: &'a Values,
    pub(super) files: &'a dyn Files,
    /// What the module is planned with.
    pub(super) inputs: &'a Inputs,
}

impl Given<'_> {
    /// Evaluates `variables { … }`, which come on top of what is given.
    pub(super) fn add(&mut self, arguments: &[Argument]) -> Result<(), Problems> {
        let (mut values, mut problems) = (Values::new(), Problems::new());
        for argument in arguments {
            match evaluate(&argument.value, self, &mut Arena::default()) {
                Ok(value) if value.is_known() => drop(values.insert(argument.name.clone(), plain(&value))),
                Ok(_) => {
                    let detail = format!("the value of `{}` is known only after an apply", argument.name);
                    let problem = Diagnostic::error("value not known", detail).at(argument.value.span);
                    problems.push(problem.help("Refer to a run with `command = apply`."));
                }
                Err(more) => problems.extend(more),
            }
        }
        self.variables.extend(values);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

impl Scope for Given<'_> {
    fn resolve(&mut self, root: &Root, span: Span, _: &mut Arena) -> Result<Value, Problems> {
        let unknown = |what: String| vec![Diagnostic::error("unknown name", what).at(span)];
        match root {
            Root::Variable(name) => {
                let value = self.variables.get(name).or_else(|| self.defaults.get(name));
                value.cloned().ok_or_else(|| unknown(format!("the variable `{name}` has no value here")))
            }
            Root::Local(name) => {
                let value = name.strip_prefix("run.").and_then(|name| self.former.get(name));
                value.cloned().ok_or_else(|| unknown(format!("`{name}` gave no outputs")))
            }
            Root::PathModule | Root::PathRoot => Ok(Value::string(self.inputs.root_directory.as_str())),
            Root::PathCwd => Ok(Value::string(self.inputs.surroundings.working_directory.clone())),
            _ => Err(unknown("the value of a variable can refer to `var` and `run` only".to_owned())),
        }
    }

    fn file(&mut self, path: &str) -> FileAnswer {
        looked(self.files.read(path), path)
    }

    fn files(&mut self, directory: &str, depth: Option<usize>) -> FileAnswer {
        looked(self.files.list(directory, depth), directory)
    }

    fn surroundings(&self) -> Surroundings {
        self.inputs.surroundings.clone()
    }
}

fn looked(answer: Answer, path: &str) -> FileAnswer {
    match answer {
        Answer::Present(value) => match value.as_str() {
            Some(text) => FileAnswer::Text(text.into()),
            None => FileAnswer::Paths(value.items().iter().filter_map(Value::as_str).map(Arc::from).collect()),
        },
        Answer::Absent => FileAnswer::Absent,
        Answer::Refused(problem) => FileAnswer::Refused(problem.detail),
        Answer::Unreachable(why) => FileAnswer::Refused(format!("`{path}` cannot be read: {why}")),
        Answer::Conflict(_) => FileAnswer::Refused(format!("`{path}` cannot be read")),
    }
}

/// A value that means the same in another plan: without origins and computations, which are ids of the plan it comes from.
pub(super) fn plain(value: &Value) -> Value {
    let data = match value.data() {
        Data::Sequence(sequence) => {
            Data::Sequence(Arc::new(Sequence::new(sequence.kind().clone(), sequence.items().iter().map(plain).collect())))
        }
        Data::Mapping(mapping) => {
            let entries = mapping.entries().iter().map(|entry| Entry::new(entry.key.clone(), plain(&entry.value)));
            Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries.collect())))
        }
        Data::Instance(instance) => return plain(&instance.attributes).marked(value.marks()),
        Data::Reference(instance) => return Value::string(instance.address.to_string()),
        Data::Unknown(ty, _) | Data::Pending(ty) => return Value::unknown((**ty).clone()).marked(value.marks()),
        data => data.clone(),
    };
    Value::new(data).marked(value.marks())
}
