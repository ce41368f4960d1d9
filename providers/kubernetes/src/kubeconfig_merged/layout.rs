//! The text of a kubeconfig whose entries change: what is not touched stays as it is written, with its comments.

use super::entries::LISTS;
use crate::document::{Change, changed, parse, rendered};
use crate::object_kind::Json;
use std::ops::Range;

/// The text that says `wanted` where it said `was`. Where entries cannot be changed in place, the whole is written anew, without its comments.
///
/// Errors: a fragment that quotes nothing of it.
pub(super) fn rewritten(text: &str, was: &Json, wanted: &Json) -> Result<String, String> {
    let edited = LISTS.iter().try_fold(text.to_owned(), |text, (list, _)| {
        let of = |config: &Json| config.get(*list).and_then(Json::as_array).cloned().unwrap_or_default();
        with_items(&text, list, &of(was), &of(wanted))
    });
    let others = ["current-context", "apiVersion", "kind"].map(|key| {
        let change = wanted.get(key).map_or(Change::Remove, |value| Change::Set(value.clone()));
        (vec![key.to_owned()], change)
    });
    let edited = edited.and_then(|text| changed(&text, &others).ok());
    // What the text says counts, not what the edit meant.
    edited.filter(|edited| parse(edited).as_ref() == Ok(wanted)).map_or_else(|| rendered(text, wanted), Ok)
}

/// The text with other items in one of its lists; nothing if that list is not written item below item.
fn with_items(text: &str, list: &str, was: &[Json], wanted: &[Json]) -> Option<String> {
    if was == wanted {
        return Some(text.to_owned());
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some(head) = lines.iter().position(|line| is_head(line, list)) else {
        return was.is_empty().then(|| Some(format!("{}{list}:\n{}", ended(text), written(wanted, "")?)))?;
    };
    let items = items(&lines, head + 1);
    if items.len() != was.len() {
        return None;
    }
    let (kept, added) = compared(was, wanted);
    let begun = match (was, wanted) {
        (_, []) => format!("{list}: []\n"),
        ([], _) => format!("{list}:\n"),
        _ => lines[head].to_owned(),
    };
    let mut edited = lines[..head].concat() + &begun;
    let mut at = head + 1;
    for (item, kept) in items.iter().zip(kept) {
        // Comments between items stay.
        edited.push_str(&lines[at..item.start].concat());
        if kept {
            edited.push_str(&lines[item.clone()].concat());
        }
        at = item.end;
    }
    let indent = items.first().map_or("", |item| indent(lines[item.start]));
    Some(ended(&edited) + &written(added, indent)? + &lines[at..].concat())
}

/// Whether a list begins in this line, to stand below it.
fn is_head(line: &str, list: &str) -> bool {
    let rest = line.strip_prefix(list).and_then(|rest| rest.strip_prefix(':'));
    rest.is_some_and(|rest| matches!(rest.split(" #").next().unwrap_or_default().trim(), "" | "[]" | "null"))
}

/// The lines of each item of a list whose first line is this one.
fn items(lines: &[&str], first: usize) -> Vec<Range<usize>> {
    let is_next_key = |line: &&str| line.starts_with(|c: char| !c.is_whitespace() && c != '-' && c != '#');
    let end = lines[first..].iter().position(is_next_key).map_or(lines.len(), |length| first + length);
    let is_item = |number: &usize| matches!(lines[*number].trim_start().get(..2), Some("- " | "-\n"));
    let Some(own) = (first..end).find(is_item).map(|number| indent(lines[number])) else { return Vec::new() };
    let starts: Vec<_> = (first..end).filter(|number| is_item(number) && indent(lines[*number]) == own).collect();
    let says_something = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let ends = starts.iter().skip(1).copied().chain([end]);
    let range = |(start, end): (usize, usize)| {
        let length = lines[start..end].iter().rposition(says_something).map_or(1, |last| last + 1);
        start..start + length
    };
    starts.iter().copied().zip(ends).map(range).collect()
}

/// Which items stay, and what comes behind them.
fn compared<'a>(was: &[Json], wanted: &'a [Json]) -> (Vec<bool>, &'a [Json]) {
    let mut rest = wanted;
    let stays = |item: &Json| match rest.split_first() {
        Some((next, others)) if next == item => {
            rest = others;
            true
        }
        _ => false,
    };
    let kept = was.iter().map(stays).collect();
    (kept, rest)
}

fn written(items: &[Json], indent: &str) -> Option<String> {
    if items.is_empty() {
        return Some(String::new());
    }
    let text = serde_saphyr::to_string(&items).ok()?;
    Some(text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{indent}{line}\n") }).collect())
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// The text with a newline at its end, unless it is empty.
fn ended(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

#[cfg(test)]
mod tests {
    use super::super::entries::{entries, put, take_out};
    use super::*;
    use engine::value::Value;

    const THEIRS: &str = "# mine\napiVersion: v1\nclusters:\n# of the laboratory\n- cluster:\n    server: https://lab # by name\n    odd: 0x10\n  name: lab\n\n\
        # the end of it\ncontexts:\n- context: {cluster: lab, user: me}\n  name: lab\ncurrent-context: lab # mostly\nkind: Config\npreferences: {}\n\
        users:\n- name: me\n  user:\n    token: |-\n      # no comment\n      - no item\n";

    const INDENTED: &str = "clusters:\n  - name: lab\n    cluster:\n      server: https://lab\n  # another\n  - name: hall\n    cluster: {}\nusers:\n\
        \n    - user: {}\n      name: me\n\ncontexts:\n  -\n    name: lab # mine\n    context:\n      cluster: lab";

    fn with(text: &str, names: &[&str]) -> String {
        let (was, mut wanted) = (parse(text).unwrap(), parse(text).unwrap());
        let kubeconfig = "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://c', certificate-authority-data: QUJD}}]\n\
            contexts: [{name: c, context: {cluster: c, user: c}}]\nusers: [{name: c, user: {token: \"a: b\"}}]\n";
        let given = entries(&Value::object(names.iter().map(|name| (*name, Value::string(kubeconfig))))).unwrap();
        put(&mut wanted, &given).unwrap();
        rewritten(text, &was, &wanted).unwrap()
    }

    fn without(text: &str, names: &[&str]) -> String {
        let (was, mut wanted) = (parse(text).unwrap(), parse(text).unwrap());
        take_out(&mut wanted, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let text = rewritten(text, &was, &wanted).unwrap();
        assert_eq!(parse(&text), Ok(wanted));
        text
    }

    #[test]
    fn what_others_wrote_stays_as_it_is_written() {
        for text in [THEIRS, INDENTED] {
            let one = with(text, &["c1"]);
            let two = with(&one, &["c2"]);
            for line in text.lines() {
                assert!(two.lines().any(|found| found == line), "{line} is not in\n{two}");
            }
            assert_eq!(without(&two, &["c2"]), one);
            assert_eq!(without(&one, &["c1"]), ended(text));
            // The order in which they go does not matter.
            assert_eq!(without(&without(&two, &["c1"]), &["c2"]), ended(text));
        }
    }

    #[test]
    fn lists_that_were_empty_or_missing_are_begun() {
        for text in [
            "",
            "# nothing yet",
            "apiVersion: v1\nkind: Config\n",
            "clusters: []\ncontexts: null\nusers: # none\npreferences: {}\ncurrent-context: \"\"\n",
            "users: []",
        ] {
            let one = with(text, &["c1"]);
            assert!(one.starts_with(text.lines().find(|line| line.starts_with('#')).unwrap_or_default()), "{one}");
            let left = without(&one, &["c1"]);
            assert!(left.contains("clusters: []") && !left.contains("c1"), "{left}");
        }
    }

    #[test]
    fn what_cannot_be_changed_in_place_is_written_anew_and_says_the_same() {
        for text in [
            "{\"clusters\": [{\"name\": \"lab\", \"cluster\": {}}], \"kind\": \"Config\"}",
            "clusters: [{name: lab, cluster: {}}]\n",
            "clusters: &all\n- {name: lab, cluster: {}}\nothers: *all\n",
            "\"clusters\":\n- {name: lab, cluster: {}}\n",
        ] {
            let mut wanted = parse(text).unwrap();
            let one = with(text, &["c1"]);
            take_out(&mut wanted, &[]);
            let mut left = parse(&without(&one, &["c1"])).unwrap();
            left.as_object_mut().unwrap().retain(|_, value| *value != Json::Array(Vec::new()));
            assert_eq!(left, wanted, "{one}");
            assert_eq!(one.starts_with('{'), text.starts_with('{'));
        }
    }
}
