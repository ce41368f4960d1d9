//! How providers are configured: the settings of every `provider` block, known before anything is planned.

use crate::address::Address;
use crate::config::{Argument, Config, Module, ProviderBlock, ResourceBlock, Root, Selection};
use crate::diagnostic::{Diagnostic, Problems, did_you_mean};
use crate::eval::{Arena, FileAnswer, Scope, Surroundings, convert, evaluate};
use crate::plan::Inputs;
use crate::schema::{Catalogue, ProviderName, ProviderSchema, Setting};
use crate::source::Span;
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The configurations of providers, and which of them each block uses.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Providers {
    /// By name, an object of every setting of the provider, null where it is not set. Wholly known; may be ephemeral.
    pub settings: BTreeMap<ProviderName, Value>,
    /// Which of them each block uses.
    pub selection: Selection,
}

impl Providers {
    /// What a configuration says, and what is wrong with it. Problems of variables are the walk's to tell.
    pub(super) fn new(config: &Config, catalogue: &Catalogue, inputs: &Inputs) -> (Self, Problems) {
        let mut providers = Self { settings: BTreeMap::new(), selection: Selection::new(config).0 };
        let mut problems = Problems::new();
        for module in config.modules.values() {
            let checked = module.checks.values().flat_map(|check| &check.data);
            problems.extend(module.resources.values().chain(checked).filter_map(|block| elsewhere(block, catalogue)));
        }
        let Some(root) = config.modules.get(&config.root) else { return (providers, problems) };
        for (name, block) in &root.providers {
            problems.extend(unsuited(name, block, catalogue));
            let Some(schema) = catalogue.provider(&name.provider) else { continue };
            let constants = &mut Constants { root, inputs };
            match settings(schema, &block.arguments, constants) {
                Ok(settings) => drop(providers.settings.insert(name.clone(), settings)),
                Err(more) => problems.extend(more),
            }
        }
        (providers, problems)
    }

    /// Which machine the provider of the block behind an address works on: what its configuration sets of that, with the names of the settings.
    /// Nothing is the one that all providers work on where nobody says another.
    pub(super) fn machine(&self, address: &Address, catalogue: &Catalogue) -> Vec<(&'static str, String)> {
        let Some(provider) = catalogue.provider_of(address.mode, &address.kind).filter(|_| !self.settings.is_empty()) else {
            return Vec::new();
        };
        let Some(settings) = self.settings.get(&self.selection.of(address, provider.name)) else { return Vec::new() };
        let leading = provider.settings.iter().filter(|setting| setting.leads).map(|setting| setting.attribute.name);
        leading.filter_map(|name| Some((name, settings.present(name)?.to_json().ok()?.to_string()))).collect()
    }

    /// The configuration of the provider behind an address, as text.
    pub(crate) fn configuration(&self, address: &Address, catalogue: &Catalogue) -> Arc<str> {
        match catalogue.provider_of(address.mode, &address.kind) {
            Some(provider) => self.selection.of(address, provider.name).to_string().into(),
            None => address.kind.clone(),
        }
    }

    /// What the configuration of its provider gives for an argument that the block behind an address does not give.
    pub(super) fn supplied(&self, address: &Address, argument: &str, catalogue: &Catalogue) -> Option<Value> {
        let provider = catalogue.provider_of(address.mode, &address.kind).filter(|_| !self.settings.is_empty())?;
        let given = |setting: &&Setting| setting.attribute.name == argument && setting.supplies.contains(&(address.mode, &*address.kind));
        provider.settings.iter().find(given)?;
        let settings = self.settings.get(&self.selection.of(address, provider.name))?;
        settings.present(argument).cloned()
    }
}

/// Problems of a `provider` block that no value can cure: an unknown provider, settings that it does not have or needs.
pub fn unsuited(name: &ProviderName, block: &ProviderBlock, catalogue: &Catalogue) -> Problems {
    let near = |problem: Diagnostic, near: Option<&str>| match near {
        Some(near) => problem.help(format!("Did you mean `{near}`?")),
        None => problem,
    };
    let Some(schema) = catalogue.provider(&name.provider) else {
        let names: Vec<_> = catalogue.providers().map(|provider| provider.name).collect();
        let detail = format!("there is no provider `{}`; there are `{}`", name.provider, names.join("`, `"));
        let problem = Diagnostic::error("unknown provider", detail).at(block.provider_span);
        return vec![near(problem, did_you_mean(&name.provider, names.iter().copied()))];
    };
    let known = || schema.settings.iter().map(|setting| setting.attribute.name);
    let mut problems = Problems::new();
    for argument in block.arguments.iter().filter(|argument| known().all(|known| *known != *argument.name)) {
        let has = if schema.settings.is_empty() { "it has no settings" } else { "it has others" };
        let detail = format!("the provider `{}` has no setting `{}`; {has}", schema.name, argument.name);
        let problem = Diagnostic::error("unknown argument", detail).at(argument.name_span);
        problems.push(near(problem, did_you_mean(&argument.name, known())));
    }
    problems
}

/// The problem of a block that refers to another provider than its kind's.
pub fn elsewhere(block: &ResourceBlock, catalogue: &Catalogue) -> Option<Diagnostic> {
    let reference = block.provider.as_ref()?;
    let owner = catalogue.provider_of(block.name.mode, &block.name.kind)?;
    if *reference.name.provider == *owner.name {
        return None;
    }
    let detail = format!("`{}` is of the provider `{}`, and `{}` is another", block.name.kind, owner.name, reference.name);
    Some(Diagnostic::error("wrong provider", detail).at(reference.span))
}

/// An object of every setting.
fn settings(schema: &ProviderSchema, arguments: &[Argument], constants: &mut Constants<'_>) -> Result<Value, Problems> {
    let (mut entries, mut problems) = (Vec::new(), Problems::new());
    for setting in &schema.settings {
        let argument = arguments.iter().find(|argument| *argument.name == *setting.attribute.name);
        let value = argument.map_or(Ok(Value::null()), |argument| set(setting, argument, constants));
        match value {
            Ok(value) if value.is_null() => {
                entries.push((setting.attribute.key.clone(), setting.attribute.default.clone().unwrap_or(value)));
            }
            Ok(value) => entries.push((setting.attribute.key.clone(), value)),
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() { Ok(Value::object(entries)) } else { Err(problems) }
}

fn set(setting: &Setting, argument: &Argument, constants: &mut Constants<'_>) -> Result<Value, Problems> {
    let (name, span) = (setting.attribute.name, argument.value.span);
    let mut arena = Arena::default();
    let value = evaluate(&argument.value, constants, &mut arena)?;
    if !value.is_known() {
        let detail = format!("the setting `{name}` is known only after apply, and providers are configured before anything is planned");
        return Err(vec![Diagnostic::error("provider setting not constant", detail).at(span)]);
    }
    if !setting.supplies.is_empty() && value.holds_ephemeral() {
        let detail = format!("the setting `{name}` comes from an ephemeral value, and stands for an argument that the state keeps");
        return Err(vec![Diagnostic::error("ephemeral value", detail).at(span)]);
    }
    let wrong = |detail: String| vec![Diagnostic::error("wrong type", format!("`{name}`: {detail}")).at(span)];
    convert(value, &setting.attribute.ty, &mut arena).map_err(|mismatch| wrong(mismatch.to_string()))
}

/// What names mean before anything is planned: variables, locals and paths of the root module.
pub(super) struct Constants<'a> {
    pub(super) root: &'a Module,
    pub(super) inputs: &'a Inputs,
}

impl Scope for Constants<'_> {
    fn resolve(&mut self, root: &Root, span: Span, arena: &mut Arena) -> Result<Value, Problems> {
        let text = |path: &str| Ok(Value::string(if path.is_empty() { "." } else { path }));
        match root {
            Root::Variable(name) => Ok(self.variable(name, arena)),
            Root::Local(name) => match self.root.locals.get(name) {
                Some(local) => evaluate(&local.value, self, arena),
                None => Ok(Value::null()),
            },
            Root::PathModule => text(&self.root.directory),
            Root::PathRoot => text(&self.inputs.root_directory),
            Root::PathCwd => Ok(Value::string(self.inputs.surroundings.working_directory.clone())),
            _ => Err(vec![Diagnostic::error("unknown name", "providers are configured before anything is planned").at(span)]),
        }
    }

    fn file(&mut self, _: &str) -> FileAnswer {
        FileAnswer::Refused("files are read when a plan is made, and providers are configured before".to_owned())
    }

    fn files(&mut self, directory: &str, _: Option<usize>) -> FileAnswer {
        self.file(directory)
    }

    fn surroundings(&self) -> Surroundings {
        self.inputs.surroundings.clone()
    }
}

impl Constants<'_> {
    /// The value of a variable of the root module; null where the walk has a problem with it.
    fn variable(&self, name: &Arc<str>, arena: &mut Arena) -> Value {
        let Some(variable) = self.root.variables.get(name) else { return Value::null() };
        let given = self.inputs.variables.get(name).cloned().filter(|value| variable.nullable || !value.is_null());
        let value = given.or_else(|| variable.default.clone()).unwrap_or_else(Value::null);
        let value = convert(value, &variable.ty, arena).unwrap_or_else(|_| Value::null());
        value.sensitive_if(variable.sensitive).ephemeral_if(variable.ephemeral)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Attribute;
    use crate::value::Type;

    #[test]
    fn settings_have_their_types_and_defaults() {
        let schema = ProviderSchema {
            name: "p",
            doc: "",
            settings: vec![
                Setting::own(Attribute::optional("count", Type::Number, "").default(Value::number(8))),
                Setting::own(Attribute::optional("name", Type::String, "")),
            ],
        };
        let mut catalogue = Catalogue::default();
        catalogue.add_provider(schema);
        for (text, expected) in [
            ("provider \"p\" {}", Ok("{\"count\":8,\"name\":null}")),
            ("provider \"p\" {\n count = var.n + local.two\n name = path.module\n}", Ok("{\"count\":3,\"name\":\".\"}")),
            ("provider \"p\" {\n count = var.text\n}", Err("wrong type: `count`: a number is required, found the string `x`")),
            (
                "provider \"p\" {\n count = timestamp()\n}",
                Err(
                    "provider setting not constant: the setting `count` is known only after apply, and providers are configured before anything is planned",
                ),
            ),
            ("provider \"p\" {\n name = file(\"x\")\n}", Err("unsuitable argument")),
            ("provider \"p\" {\n cuont = 1\n}", Err("unknown argument: the provider `p` has no setting `cuont`; it has others")),
            ("provider \"q\" {}", Err("unknown provider: there is no provider `q`; there are `p`")),
        ] {
            let text = format!(
                "{text}\nvariable \"n\" {{\n default = \"1\"\n type = number\n}}\nvariable \"text\" {{\n default = \"x\"\n}}\nlocals {{\n two = 2\n}}\n"
            );
            let mut tree = crate::source::SourceTree::new(".");
            let file = tree.add("main.mesh.hcl", &text);
            tree.modules.get_mut(&tree.root).unwrap().files.push(file);
            let (config, problems) = crate::config::parse(&tree, &[]);
            assert_eq!(problems, []);
            let (providers, problems) = Providers::new(&config, &catalogue, &Inputs::default());
            let made = match problems.first() {
                Some(problem) => Err(format!("{}: {}", problem.summary, problem.detail)),
                None => Ok(providers.settings.values().next().unwrap().to_json().unwrap().to_string()),
            };
            match (made, expected) {
                (Ok(made), Ok(expected)) => assert_eq!(made, expected, "{text}"),
                (Err(made), Err(expected)) => assert!(made.starts_with(expected), "{made}"),
                (made, expected) => panic!("{text}: {made:?}, {expected:?}"),
            }
        }
    }
}
