//! The pages of the reference, written from the kinds themselves.
//!
//! A page says what its kind's schema says, and shows the example of `docs/reference/examples`. Pages link the classes that arguments take
//! to the kinds that offer them.

use engine::address::Mode;
use engine::schema::{Attribute, Catalogue, OnChange, Presence, ProviderSchema, Schema, Setting};
use engine::value::{Class, Type};
use review::notation::brief;
use std::fmt::Write as _;

/// The name of a kind's page and example, without ending: `kubernetes_secret`, `data.kubernetes_cluster`.
pub fn page_name(mode: Mode, kind: &str) -> String {
    match mode {
        Mode::Managed => kind.to_owned(),
        Mode::Data => format!("data.{kind}"),
    }
}

/// Every kind's schema with its mode, resources first, sorted by name.
pub fn schemas(catalogue: &Catalogue) -> Vec<(Mode, &Schema)> {
    let of = |mode| catalogue.kinds(mode).map(move |kind| (mode, kind.schema()));
    of(Mode::Managed).chain(of(Mode::Data)).collect()
}

/// The page that lists all others.
pub fn index(catalogue: &Catalogue) -> String {
    let mut page = String::from(concat!(
        "# Reference\n\nEvery kind that a configuration can hold, the [functions](functions.md) of its expressions, and the [rules](lint.md) that plans are held against. These pages are written from the sources by a test (`tests/suite/reference.rs`); ",
        "the examples are files in `examples/`, each a configuration of its own that `meshplan validate` accepts.\n\n",
        "The column *a change* says what a changed argument does as a rule. A plan says what it does in a case: a field of a Kubernetes object ",
        "that its API server does not let change replaces the object, and a kind can refuse a change that it cannot make.\n"
    ));
    for (mode, title) in [(Mode::Managed, "Resources"), (Mode::Data, "Data sources")] {
        write!(page, "\n## {title}\n\n| kind | what it is |\n|---|---|\n").unwrap();
        for (_, schema) in schemas(catalogue).into_iter().filter(|(of, _)| *of == mode) {
            writeln!(page, "| [`{}`]({}.md) | {} |", schema.kind, page_name(mode, schema.kind), cell(schema.doc)).unwrap();
        }
    }
    page.push_str(
        "\n## Providers\n\nWhat a `provider` block may set. The others have no settings.\n\n| provider | what it is |\n|---|---|\n",
    );
    for provider in configurable(catalogue) {
        writeln!(page, "| [`{}`]({}.md) | {} |", provider.name, provider_page_name(provider), cell(provider.doc)).unwrap();
    }
    page.push_str(
        "\n## Backends\n\nWhere the state is kept, said by a `backend` block in `meshplan`.\n\n| backend | what it is |\n|---|---|\n",
    );
    for backend in backends::kinds() {
        writeln!(page, "| [`{}`]({}.md) | {} |", backend.name, backend_page_name(backend), cell(backend.doc)).unwrap();
    }
    page.push_str("\n## Classes\n\nAn argument whose type is a class takes a whole instance, `cluster = sandbox_cluster.c1`, of any kind that offers the class.\n\n");
    page.push_str("| class | offered by |\n|---|---|\n");
    for class in classes(catalogue) {
        writeln!(page, "| `{class}` | {} |", offering(catalogue, class)).unwrap();
    }
    page
}

/// Every provider with settings, sorted by name.
pub fn configurable(catalogue: &Catalogue) -> impl Iterator<Item = &ProviderSchema> {
    catalogue.providers().map(|provider| &**provider).filter(|provider| !provider.settings.is_empty())
}

/// The name of a provider's page and example, without ending.
pub fn provider_page_name(provider: &ProviderSchema) -> String {
    format!("provider.{}", provider.name)
}

/// The page of one provider.
pub fn provider_page(provider: &ProviderSchema, example: &str) -> String {
    let mut page = format!("# `provider \"{}\"`\n\nA provider. {}\n", provider.name, provider.doc);
    write!(page, "\n## Example\n\n```hcl\n{}\n```\n", example.trim_end()).unwrap();
    page.push_str("\n## Settings\n\nConstants, variables, and what is made of these; `alias` names a configuration of its own.\n\n");
    page.push_str("| name | type | meaning |\n|---|---|---|\n");
    for Setting { attribute, supplies, .. } in &provider.settings {
        let kept = if supplies.is_empty() { " May be ephemeral." } else { "" };
        writeln!(page, "| `{}` | {} | {}{kept} |", attribute.name, type_cell(&attribute.ty), cell(attribute.doc)).unwrap();
    }
    page
}

/// The name of a backend's page and example, without ending.
pub fn backend_page_name(backend: &backends::Kind) -> String {
    format!("backend.{}", backend.name)
}

/// The page of one backend.
pub fn backend_page(backend: &backends::Kind, example: &str) -> String {
    let mut page = format!("# `backend \"{}\"`\n\nA place for the [state](../state.md#where-it-is-kept). {}\n", backend.name, backend.doc);
    write!(page, "\n## Example\n\n```hcl\n{}\n```\n", example.trim_end()).unwrap();
    page.push_str("\n## Arguments\n\nConstants; `--backend-config NAME=TEXT` gives one on the command line, over that of the block.\n\n");
    page.push_str("| name | without it | meaning |\n|---|---|---|\n");
    for argument in backend.arguments {
        let secret = if backends::is_secret(argument.name) { " *Sensitive.*" } else { "" };
        writeln!(page, "| `{}` | {} | {}{secret} |", argument.name, argument.without.unwrap_or("required"), cell(argument.doc)).unwrap();
    }
    write!(page, "\n## Rights\n\n{}\n\n## Lock\n\n{}\n", backend.rights, backend.lock).unwrap();
    page
}

/// The page of one kind.
pub fn page(catalogue: &Catalogue, mode: Mode, schema: &Schema, example: &str) -> String {
    let written = page_name(mode, schema.kind);
    let sort = if mode == Mode::Data { "A data source." } else { "A resource." };
    let mut page = format!("# `{written}`\n\n{sort} {}\n", schema.doc);
    if let Some(place) = schema.place {
        write!(page, "\nIt lies in the cluster that `{place}` leads to, and goes with that cluster.\n").unwrap();
    }
    if !schema.classes.is_empty() {
        let offered: Vec<String> = schema.classes.iter().map(|class| format!("`{class}`")).collect();
        write!(page, "\nAn instance of it can be given wherever {} is asked for.\n", offered.join(" or ")).unwrap();
    }
    if catalogue.get(mode, schema.kind).is_some_and(|kind| kind.probes()) {
        page.push_str("\nIt stands in `check` blocks and in runs of tests, and nowhere else: elsewhere a plan would wait for what no apply has made yet.\n");
    }
    if schema.settles {
        page.push_str("\nAfter a create or an update, what depends on it waits until it is ready.\n");
    }
    write!(page, "\n## Example\n\n```hcl\n{}\n```\n", example.trim_end()).unwrap();
    arguments(&mut page, catalogue, mode, schema);
    exports(&mut page, schema);
    page
}

fn arguments(page: &mut String, catalogue: &Catalogue, mode: Mode, schema: &Schema) {
    let settable: Vec<&Attribute> = schema.attributes.iter().filter(|attribute| attribute.presence != Presence::Computed).collect();
    page.push_str("\n## Arguments\n\n");
    if settable.is_empty() {
        page.push_str("None.\n");
        return;
    }
    let changes = mode == Mode::Managed;
    page.push_str(if changes {
        "| name | type | given | a change | meaning |\n|---|---|---|---|---|\n"
    } else {
        "| name | type | given | meaning |\n|---|---|---|---|\n"
    });
    for attribute in settable {
        let change = match (attribute.on_change, schema.place == Some(attribute.name)) {
            _ if !changes => "",
            (_, true) => " moves it: deleted there, created here |",
            (OnChange::Replace, _) => " replaces |",
            (OnChange::Update, _) => " updates |",
        };
        let name = attribute.name;
        let (ty, given, meaning) = (type_cell(&attribute.ty), given(attribute), meaning(catalogue, attribute));
        writeln!(page, "| `{name}` | {ty} | {given} |{change} {meaning} |").unwrap();
    }
}

fn exports(page: &mut String, schema: &Schema) {
    page.push_str("\n## Attributes\n\n");
    let computed = |attribute: &&Attribute| matches!(attribute.presence, Presence::Computed | Presence::OptionalComputed);
    let mut given = schema.attributes.iter().filter(computed).peekable();
    if given.peek().is_none() {
        page.push_str("The arguments, and nothing else.\n");
        return;
    }
    page.push_str("The arguments, and:\n\n| name | type | meaning |\n|---|---|---|\n");
    for attribute in given {
        let mut meaning = cell(attribute.doc);
        if attribute.sensitive {
            meaning.push_str(" *Sensitive.*");
        }
        if attribute.volatile {
            meaning.push_str(" *Known after every update.*");
        }
        writeln!(page, "| `{}` | {} | {meaning} |", attribute.name, type_cell(&attribute.ty)).unwrap();
    }
}

fn given(attribute: &Attribute) -> String {
    match (attribute.presence, &attribute.default) {
        (Presence::Required, _) => "required".to_owned(),
        (_, Some(default)) => format!("`{}` without it", cell(&brief("", default, &|_| String::new()))),
        (Presence::OptionalComputed, None) => "computed without it".to_owned(),
        (Presence::Optional | Presence::Computed, None) => "optional".to_owned(),
    }
}

fn meaning(catalogue: &Catalogue, attribute: &Attribute) -> String {
    let mut meaning = cell(attribute.doc);
    if let Type::Reference(class) = attribute.ty {
        write!(meaning, " Takes {}.", offering(catalogue, class)).unwrap();
    }
    if attribute.sensitive {
        meaning.push_str(" *Sensitive.*");
    }
    if attribute.credential {
        meaning.push_str(" *Deleted before the cluster that it is a credential of.*");
    }
    meaning
}

/// The kinds that offer a class, as links.
fn offering(catalogue: &Catalogue, class: Class) -> String {
    let kinds = schemas(catalogue).into_iter().filter(|(_, schema)| schema.classes.contains(&class));
    let links: Vec<String> =
        kinds.map(|(mode, schema)| page_name(mode, schema.kind)).map(|name| format!("[`{name}`]({name}.md)")).collect();
    links.join(", ")
}

/// Every class that is offered, sorted.
fn classes(catalogue: &Catalogue) -> std::collections::BTreeSet<Class> {
    schemas(catalogue).into_iter().flat_map(|(_, schema)| schema.classes.iter().copied()).collect()
}

fn type_cell(ty: &Type) -> String {
    format!("`{}`", cell(&ty.to_string()))
}

/// Text as it may stand in a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::schema::Kind;
    use engine::value::Value;
    use std::sync::Arc;

    struct Made(Schema);

    impl Kind for Made {
        fn schema(&self) -> &Schema {
            &self.0
        }
    }

    fn catalogue() -> Catalogue {
        let attributes = vec![
            Attribute::required("cluster", Type::Reference("cluster"), "Where it lies."),
            Attribute::required("name", Type::String, "One | two.").replaces(),
            Attribute::optional("size", Type::Number, "How many.").default(Value::number(2)),
            Attribute::optional("secret", Type::map(Type::String), "What nobody sees.").sensitive(),
            Attribute::optional_computed("server", Type::String, "A URL."),
            Attribute::computed("uid", Type::String, "Its UID.").volatile(),
        ];
        let schema = Schema {
            kind: "thing",
            doc: "A thing.",
            version: 1,
            attributes,
            classes: &["cluster"],
            place: Some("cluster"),
            outside: true,
            settles: true,
        };
        let mut catalogue = Catalogue::default();
        catalogue.add(Mode::Managed, Arc::new(Made(schema.clone())));
        catalogue.add(Mode::Data, Arc::new(Made(Schema { place: None, settles: false, classes: &[], ..schema })));
        catalogue
    }

    #[test]
    fn a_page_says_what_the_schema_says() {
        let catalogue = catalogue();
        let kind = catalogue.get(Mode::Managed, "thing").unwrap();
        let page = page(&catalogue, Mode::Managed, kind.schema(), "resource \"thing\" \"a\" {\n}\n");
        for line in [
            "# `thing`",
            "It lies in the cluster that `cluster` leads to, and goes with that cluster.",
            "An instance of it can be given wherever `cluster` is asked for.",
            "| `cluster` | `cluster` | required | moves it: deleted there, created here | Where it lies. Takes [`thing`](thing.md). |",
            "| `name` | `string` | required | replaces | One \\| two. |",
            "| `size` | `number` | `2` without it | updates | How many. |",
            "| `secret` | `map(string)` | optional | updates | What nobody sees. *Sensitive.* |",
            "| `server` | `string` | computed without it | updates | A URL. |",
            "| `uid` | `string` | Its UID. *Known after every update.* |",
            "resource \"thing\" \"a\" {",
        ] {
            assert!(page.lines().any(|found| found == line), "no `{line}` in\n{page}");
        }
    }

    #[test]
    fn data_sources_have_pages_of_their_own_and_change_nothing() {
        let catalogue = catalogue();
        let kind = catalogue.get(Mode::Data, "thing").unwrap();
        let page = page(&catalogue, Mode::Data, kind.schema(), "");
        assert!(page.starts_with("# `data.thing`\n\nA data source. A thing.\n"), "{page}");
        assert!(page.contains("| `size` | `number` | `2` without it | How many. |"), "{page}");
        let index = index(&catalogue);
        assert!(index.contains("| [`thing`](data.thing.md) | A thing. |"), "{index}");
        assert!(index.contains("| `cluster` | [`thing`](thing.md) |"), "{index}");
    }
}
