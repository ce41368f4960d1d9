//! How large a value may become. What is written in a few lines can mean more than any machine holds; that is an error, not the end.

use crate::value::{Data, Value};

/// Bytes of one text: several times what a cluster takes as one object, and more than any rendered control plane.
pub(super) const MOST_TEXT: usize = 16 << 20;

/// Elements of one collection.
pub(super) const MOST_ELEMENTS: usize = 1_000_000;

/// What is wrong with a text, after "it": constant, so that equal problems are told once.
pub(super) const TEXT_TOO_LARGE: &str = "would make a text of more than 16 MiB";

/// What is wrong with a collection, after "it".
pub(super) const COLLECTION_TOO_LARGE: &str = "would make a collection of more than 1000000 elements";

/// Whether values, written out one after the other, are more than one text may hold. What stands in several places counts each time.
pub(super) fn is_too_much<'a>(values: impl IntoIterator<Item = &'a Value>) -> bool {
    let mut left = MOST_TEXT;
    values.into_iter().any(|value| take(value, &mut left).is_none())
}

/// Takes what a value weighs off what is left. No value nests deeper than the parser lets it.
fn take(value: &Value, left: &mut usize) -> Option<()> {
    *left = left.checked_sub(8)?;
    match value.data() {
        Data::String(text) => *left = left.checked_sub(text.len())?,
        Data::Sequence(sequence) => sequence.items().iter().try_for_each(|item| take(item, left))?,
        Data::Mapping(_) => value.entries().iter().try_for_each(|entry| {
            *left = left.checked_sub(entry.key.len())?;
            take(&entry.value, left)
        })?,
        _ => {}
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use crate::eval::scene::Scene;

    #[test]
    fn what_grows_without_end_is_an_error() {
        for (first, next, expected) in [
            ("\"0123456789\"", "\"${var.x}${var.x}\"", "text too large"),
            ("\"0123456789\"", "\"%{ for i in [1, 2] }${var.x}%{ endfor }\"", "text too large"),
            ("\"0123456789\"", "join(var.x, [var.x, var.x])", "unsuitable argument"),
            ("\"0123456789\"", "format(\"%s%[1]s\", var.x)", "unsuitable argument"),
            ("\"0123456789\"", "formatlist(\"%s%s\", [var.x], var.x)[0]", "unsuitable argument"),
            ("\"0123456789\"", "replace(\"${var.x}0\", \"0\", var.x)", "unsuitable argument"),
            ("\"0123456789\"", "replace(var.x, \"/.+/\", \"$0$0$0$0\")", "unsuitable argument"),
            ("[1]", "concat(var.x, var.x)", "unsuitable argument"),
            ("[1]", "flatten([var.x, [var.x]])", "unsuitable argument"),
        ] {
            let mut scene = Scene::default();
            let mut value = scene.value(first);
            let ended = (0..64).find_map(|_| {
                scene.names.variables.insert("x".to_owned(), value.clone());
                match scene.evaluate(next) {
                    Ok(more) => {
                        value = more;
                        None
                    }
                    Err(problems) => Some(problems),
                }
            });
            let problems = ended.unwrap_or_else(|| panic!("{next} goes on"));
            assert!(problems[0].summary.starts_with(expected), "{next}: {problems:?}");
            assert!(problems[0].detail.contains("would make a"), "{next}: {problems:?}");
        }
    }

    #[test]
    fn what_is_shared_counts_as_often_as_it_stands_there() {
        let mut scene = Scene::default();
        let mut value = scene.value("[1]");
        for _ in 0..40 {
            scene.names.variables.insert("x".to_owned(), value);
            value = scene.value("{ a = var.x, b = var.x }");
        }
        scene.names.variables.insert("x".to_owned(), value);
        for text in ["jsonencode(var.x)", "yamlencode(var.x)", "format(\"%v\", var.x)"] {
            let problems = scene.evaluate(text).unwrap_err();
            assert!(problems[0].detail.contains("would make a"), "{text}: {problems:?}");
        }
    }
}
