//! `meshplan state list`

use crate::exit;
use crate::failure::Failure;
use crate::session::Session;

/// List the addresses of everything that is remembered
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  meshplan state list\n  meshplan state list module.mesh kubernetes_secret")]
pub struct List {
    /// List only what is, or lies within, PREFIX: an address or the beginning of one, as in `module.mesh` or `kubernetes_secret`
    #[arg(value_name = "PREFIX")]
    pub prefixes: Vec<String>,
}

pub(super) fn run(session: &mut Session, args: &List) -> Result<u8, Failure> {
    let state = session.remembered_in_part()?;
    let mut text = String::new();
    for (address, deposed, _) in state.records() {
        let address = address.to_string();
        if args.prefixes.is_empty() || args.prefixes.iter().any(|prefix| begins(&address, prefix)) {
            text.push_str(&address);
            if let Some(key) = deposed {
                text.extend([" (deposed ", key, ")"]);
            }
            text.push('\n');
        }
    }
    if text.is_empty() {
        session.view.say(&match args.prefixes.as_slice() {
            _ if state.resources.is_empty() => "note: nothing is remembered".to_owned(),
            prefixes => format!("note: of what is remembered nothing begins with {}", quoted(prefixes)),
        });
    }
    session.data(&text);
    Ok(exit::DONE)
}

fn quoted(prefixes: &[String]) -> String {
    prefixes.iter().map(|prefix| format!("`{prefix}`")).collect::<Vec<_>>().join(" or ")
}

/// Whether an address begins with whole parts: `kind.a` begins `kind.a["x"]` and not `kind.ab`.
fn begins(address: &str, prefix: &str) -> bool {
    address
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '/']) || prefix.ends_with(['.', '[', '/']))
}

#[cfg(test)]
mod tests {
    use super::begins;

    #[test]
    fn a_prefix_is_made_of_whole_parts() {
        for (address, prefix, expected) in [
            ("k.a", "k.a", true),
            ("k.a[0]", "k.a", true),
            ("k.a[0]/Kind/n/x", "k.a[0]/Kind", true),
            ("k.ab", "k.a", false),
            ("module.m[0].k.a", "module.m", true),
            ("module.m[0].k.a", "module.m[0]", true),
            ("module.mm.k.a", "module.m", false),
            ("kind.a", "kind", true),
            ("kind.a", "kind.", true),
            ("kind.a", "kin", false),
        ] {
            assert_eq!(begins(address, prefix), expected, "{address} {prefix}");
        }
    }
}
