//! Calls: arguments, `...`, and the few functions that are no functions of values: `try`, `can`, `templatefile`, `templatestring`.

use super::evaluator::{Evaluator, both, problem, problem_with_help};
use super::functions::Called;
use super::instance::as_object;
use super::size::{are_too_many, too_large};
use super::strict::{Open, first, literal, opened, strict, taken};
use super::unify::words;
use crate::config::{Call, Expr, Node, parse_template};
use crate::diagnostic::Problems;
use crate::source::{FileId, Span};
use crate::value::{Data, Flags, Type, Value};
use std::sync::Arc;

/// Templates may read further templates, down to this depth: a file that reads itself must end somewhere.
const DEEPEST_TEMPLATE: usize = 8;

impl Evaluator<'_> {
    pub(super) fn call(&mut self, call: &Call, span: Span) -> Result<Value, Problems> {
        match &*call.name {
            "try" | "can" if call.expand => {
                problem_here("`...` cannot be used with it: its arguments are expressions, not values", &call.name, span)
            }
            "try" => self.attempt(call, span),
            "can" => self.possible(call, span),
            _ => {
                let values = self.all(&call.arguments)?;
                let arguments: Vec<_> = values.into_iter().zip(call.arguments.iter().map(|argument| argument.span)).collect();
                match self.expanded(call, arguments, span)? {
                    Expanded::Open(value) => Ok(value),
                    Expanded::Arguments(arguments) => self.apply(call, arguments, span),
                }
            }
        }
    }

    fn apply(&mut self, call: &Call, arguments: Vec<(Value, Span)>, span: Span) -> Result<Value, Problems> {
        match &*call.name {
            "templatefile" => self.template_file(call, arguments, span),
            "templatestring" => self.template_string(call, arguments, span),
            name => {
                let thunks = self.arena.thunks.len();
                let value = super::functions::call(Called { name, name_span: call.name_span, span }, arguments, self.scope, self.arena)?;
                // A function says only by its result what state it came to.
                let mut made = Flags::default();
                for flag in [Flags::PENDING, Flags::BLOCKED] {
                    if value.flags().has(flag) {
                        made = made.with(flag);
                    }
                }
                if self.arena.thunks.len() > thunks {
                    made = made.with(Flags::UNKNOWN);
                }
                self.arena.made = self.arena.made.with(made);
                Ok(value)
            }
        }
    }

    /// The arguments with the last one expanded, if the call asks for it.
    fn expanded(&mut self, call: &Call, mut arguments: Vec<(Value, Span)>, span: Span) -> Result<Expanded, Problems> {
        if !call.expand {
            return Ok(Expanded::Arguments(arguments));
        }
        let Some((last, at)) = arguments.pop() else { return Ok(Expanded::Arguments(arguments)) };
        if Open::of(&last).is_some() {
            arguments.push((last, at));
            let open = strict(arguments.iter().map(|(value, _)| value)).unwrap_or(Open::Unknown);
            let deferred = || later(call, &arguments, true, span);
            return Ok(Expanded::Open(opened(open, Type::Any, arguments.iter().map(|(value, _)| value), self.arena, deferred)));
        }
        let Data::Sequence(sequence) = last.data() else {
            let detail = format!("`...` expands lists, sets and tuples; this is {}", words(&last));
            return Err(problem("nothing to expand", detail, at));
        };
        if are_too_many(arguments.iter().map(|(value, _)| value).chain(sequence.items())) {
            return Err(too_large(span));
        }
        for item in sequence.items() {
            arguments.push((taken(item.clone(), &last, self.arena), at));
        }
        Ok(Expanded::Arguments(arguments))
    }

    fn template_file(&mut self, call: &Call, arguments: Vec<(Value, Span)>, span: Span) -> Result<Value, Problems> {
        let [(path, path_span), (variables, variables_span)] = two(call, arguments, span)?;
        let path = self.text(path, "path", path_span);
        let (path, variables) = both(path, self.variables(&variables, variables_span))?;
        match Open::of(&path) {
            None => {}
            Some(Open::Unknown) => {
                let detail = "the path is known only after apply, but a plan holds every file it needs";
                return Err(problem_with_help("path not known", detail, "name the file by what is known now", path_span));
            }
            Some(open) => {
                let open = first(Some(open), strict([&variables])).unwrap_or(Open::Pending);
                return Ok(opened(open, Type::String, [&path, &variables], self.arena, || literal(path.clone(), span)));
            }
        }
        let name = path.as_str().unwrap_or_default();
        let Some(text) = self.template_text(name, path_span).map_err(|problems| veiled(problems, [&path], path_span))? else {
            return Ok(opened(Open::Pending, Type::String, [&variables], self.arena, || literal(path.clone(), span)));
        };
        let source = (&text, format!("`{name}`"));
        let value = self.render(call, source, &variables, (variables_span, span));
        Ok(value.map_err(|problems| veiled(problems, [&path, &variables], span))?.marked(path.marks()))
    }

    fn template_string(&mut self, call: &Call, arguments: Vec<(Value, Span)>, span: Span) -> Result<Value, Problems> {
        let [(template, template_span), (variables, variables_span)] = two(call, arguments, span)?;
        let template = self.text(template, "template", template_span);
        let (template, variables) = both(template, self.variables(&variables, variables_span))?;
        let Data::String(text) = template.data() else {
            let open = strict([&template, &variables]).unwrap_or(Open::Unknown);
            let arguments = [(template.clone(), template_span), (variables.clone(), variables_span)];
            return Ok(opened(open, Type::String, [&template, &variables], self.arena, || later(call, &arguments, false, span)));
        };
        let value = self.render(call, (text, "the template".to_owned()), &variables, (variables_span, span));
        let value = value.map_err(|problems| veiled(problems, [&template, &variables], span))?;
        Ok(self.also_from(value, &template).marked(template.marks()))
    }

    /// A string that must not be null, or open.
    fn text(&mut self, value: Value, role: &str, span: Span) -> Result<Value, Problems> {
        if value.is_null() {
            return Err(problem("null argument", format!("the {role} is null here; it must be a string"), span));
        }
        self.scalar(value, &Type::String, role, span)
    }

    fn variables(&mut self, value: &Value, span: Span) -> Result<Value, Problems> {
        let object = as_object(value, span, self.arena);
        match object.data() {
            Data::Mapping(_) | Data::Unknown(..) | Data::Pending(_) | Data::Blocked(_) => Ok(object),
            _ => {
                let detail = format!("a template's variables come as an object; this is {}", words(value));
                Err(problem("unsuitable value", detail, span))
            }
        }
    }

    /// Runs a template's text. Its places are none of the configuration's, so its problems are told by line at the call.
    fn render(&mut self, call: &Call, source: (&Arc<str>, String), variables: &Value, spans: (Span, Span)) -> Result<Value, Problems> {
        let (text, name) = source;
        let (variables_span, span) = spans;
        if let Some(open) = Open::of(variables) {
            let template = literal(Value::string(text.clone()), span);
            let arguments = vec![template, literal(variables.clone(), variables_span)];
            let call = Call { name: "templatestring".into(), arguments, expand: false, ..call.clone() };
            return Ok(opened(open, Type::String, [variables], self.arena, || Expr::new(Node::Call(Box::new(call)), span)));
        }
        if self.templates >= DEEPEST_TEMPLATE {
            let detail = format!("{name} is read within templates {DEEPEST_TEMPLATE} deep; does it read itself?");
            return Err(problem("templates too deep", detail, span));
        }
        let nowhere = FileId(u32::MAX);
        let parsed = parse_template(text, nowhere).map_err(|problems| placed(problems, text, &name, span))?;
        let names = variables.entries().iter().map(|entry| (entry.key.clone(), taken(entry.value.clone(), variables, self.arena)));
        let names = names.collect();
        let bound = std::mem::replace(&mut self.bound, names);
        let elements = std::mem::take(&mut self.elements);
        self.templates += 1;
        let value = self.expression(&parsed);
        self.templates -= 1;
        self.bound = bound;
        self.elements = elements;
        value.map_err(|problems| placed(problems, text, &name, span))
    }
}

enum Expanded {
    Arguments(Vec<(Value, Span)>),
    Open(Value),
}

/// The call over values.
fn later(call: &Call, arguments: &[(Value, Span)], expand: bool, span: Span) -> Expr {
    let arguments = arguments.iter().map(|(value, at)| literal(value.clone(), *at)).collect();
    Expr::new(Node::Call(Box::new(Call { arguments, expand, ..call.clone() })), span)
}

fn problem_here(what: &str, name: &str, span: Span) -> Result<Value, Problems> {
    Err(problem("unsuitable call", format!("`{name}`: {what}"), span))
}

fn two(call: &Call, arguments: Vec<(Value, Span)>, span: Span) -> Result<[(Value, Span); 2], Problems> {
    arguments.try_into().map_err(|arguments: Vec<_>| {
        let detail =
            format!("`{}` takes 2 arguments, a template and an object with its variables; {} are given", call.name, arguments.len());
        problem("wrong number of arguments", detail, span)
    })
}

/// Problems of a template, unless its text, its name, or the names of its variables are hidden: then only of which sort the first is.
fn veiled<const N: usize>(problems: Problems, of: [&Value; N], span: Span) -> Problems {
    let is_hidden = |value: &&Value| value.hides_keys() || (value.as_str().is_some() && value.is_hidden());
    match problems.first() {
        Some(first) if of.iter().any(is_hidden) => {
            problem(&first.summary.clone(), "what is wrong is not shown: it would tell something sensitive or ephemeral", span)
        }
        _ => problems,
    }
}

/// Problems of a template as problems of its call.
fn placed(problems: Problems, text: &str, name: &str, span: Span) -> Problems {
    let nowhere = FileId(u32::MAX);
    let place = |mut problem: crate::diagnostic::Diagnostic| {
        if let Some(at) = problem.at
            && at.file == nowhere
        {
            let line = text.get(..at.start as usize).unwrap_or_default().matches('\n').count() + 1;
            problem.detail = format!("{name}, line {line}: {}", problem.detail);
            problem.related.retain(|(at, _)| at.file != nowhere);
            problem.at = Some(span);
        }
        problem
    };
    problems.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use crate::eval::FileAnswer;
    use crate::eval::scene::Scene;
    use crate::value::{Data, Type, Value};

    fn scene() -> Scene {
        let mut scene = Scene::new([
            ("u", Value::unknown(Type::String)),
            ("ua", Value::unknown(Type::Any)),
            ("p", Value::pending(Type::Any)),
            ("b", Value::blocked("why")),
            ("secret", Value::string("s").sensitive()),
            ("path", Value::string("f").sensitive()),
        ]);
        for (path, text) in [
            ("f", "Hello ${name}%{ for x in items }, ${x}%{ endfor }!"),
            ("self", "${templatefile(\"self\", {})}"),
            ("twice", "<${templatefile(\"f\", { name = name, items = [] })}>"),
            ("bad", "one\ntwo ${nmae}\n${1/0}"),
            ("broken", "one\n${"),
        ] {
            scene.names.files.insert(path.to_owned(), FileAnswer::Text(text.into()));
        }
        scene.names.files.insert("asked".to_owned(), FileAnswer::Pending);
        scene
    }

    #[test]
    fn templates_are_rendered_with_their_own_names_only() {
        let mut scene = scene();
        for (text, expected) in [
            ("templatefile(\"f\", { name = \"x\", items = [1, 2] })", "\"Hello x, 1, 2!\""),
            ("templatefile(\"twice\", { name = \"x\" })", "\"<Hello x!>\""),
            ("templatefile(var.path, { name = \"x\", items = [] })", "*\"Hello x!\""),
            ("templatefile(\"f\", { name = var.secret, items = [] })", "*\"Hello s!\""),
            ("templatestring(\"$${a}-$${b}\", { a = 1, b = true })", "\"1-true\""),
            ("[for a in [1] : templatestring(\"$${b}\", { b = a })]", "[1]"),
            ("templatefile(\"f\", { name = var.u, items = [] })", "?string"),
            ("templatefile(\"f\", { name = var.u, items = var.p })", "…string"),
            ("templatefile(\"f\", var.ua)", "?string"),
            ("templatefile(\"f\", var.b)", "!why"),
            ("templatefile(\"asked\", {})", "…string"),
            ("templatefile(var.p, {})", "…string"),
            ("templatestring(var.u, {})", "?string"),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
        }
    }

    #[test]
    fn problems_of_a_template_name_its_line() {
        let mut scene = scene();
        for (text, expected) in [
            (
                "templatefile(\"bad\", { name = 1 })",
                "unknown template variable: `bad`, line 2: the template has no variable `nmae`; given are `name` | division by zero: `bad`, line 3: `1 / 0` divides by zero",
            ),
            ("templatefile(\"missing\", {})", "unreadable file: there is no `missing`"),
            ("templatefile(var.u, {})", "path not known: the path is known only after apply, but a plan holds every file it needs"),
            ("templatefile(null, {})", "null argument: the path is null here; it must be a string"),
            ("templatefile(\"f\", [])", "unsuitable value: a template's variables come as an object; this is a tuple"),
            (
                "[for a in [1] : templatestring(\"$${a}!\", {})]",
                "unknown template variable: the template, line 1: the template has no variable `a`; none is given",
            ),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
        }
        for text in ["templatefile(\"self\", {})", "templatefile(\"broken\", {})", "templatefile(\"f\")", "templatestring(1, 2, 3)"] {
            let problems = scene.evaluate(text).unwrap_err();
            let whole = crate::source::FileId(0);
            assert!(problems.iter().all(|problem| problem.at.is_some_and(|at| at.file == whole)), "{text}: {problems:?}");
        }
    }

    #[test]
    fn a_template_that_waits_needs_no_file_later() {
        let mut scene = scene();
        let value = scene.value("templatefile(\"f\", var.ua)");
        let Data::Unknown(_, thunk) = value.data() else { panic!("{value:?}") };
        let crate::config::Node::Call(call) = &scene.arena.thunks.get(*thunk).unwrap().node else { panic!() };
        assert_eq!(&*call.name, "templatestring");
    }

    #[test]
    fn expansion_takes_lists_and_waits_for_open_ones() {
        let mut scene = scene();
        for (text, expected) in [
            ("nothing([1]...)", "unknown function"),
            ("nothing(null...)", "nothing to expand: `...` expands lists, sets and tuples; this is null"),
            ("nothing({}...)", "nothing to expand: `...` expands lists, sets and tuples; this is an object"),
            ("templatestring([\"$${a}\", { a = 1 }]...)", "1"),
            ("templatestring(\"$${a}!\", [{ a = 1 }]...)", "\"1!\""),
            ("templatestring(var.ua...)", "?any"),
            ("templatestring(\"x\", var.p...)", "…any"),
        ] {
            let shown = scene.show(text);
            assert!(shown.starts_with(expected), "{text}: {shown}");
        }
    }
}
