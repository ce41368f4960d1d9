//! Whether a plan shall be applied: whoever is asked may look closer before answering.

use crate::explain;
use crate::failure::Failure;
use crate::project::Project;
use crate::session::Session;
use engine::config::Subject;
use engine::plan::Plan;
use review::terminal::{self, Layout};
use review::{Detail, explanation};
use std::io::Write;
use std::process::{Command, Stdio};
use tokio::runtime::Runtime;

/// What pages where nothing says what does.
const PAGER: &str = "less";

/// Asks whether a plan shall be applied, until the answer is one. Nothing if that is interrupted.
pub(crate) fn approved(session: &mut Session, runtime: &Runtime, (project, plan): (&Project, &Plan)) -> Option<bool> {
    let question = if plan.refresh_only {
        "Write this to the state? Nothing that exists is changed."
    } else if plan.destroy {
        "Destroy everything listed above?"
    } else {
        "Apply the changes listed above?"
    };
    let question = format!(
        "\n{question}\n  Only 'yes' will be accepted to approve.\n  'd' shows every change in full, 'e ADDRESS' explains one.\n\n  Enter a value: "
    );
    loop {
        let answer = session.asked(runtime, &question)?;
        let mut words = answer.split_whitespace();
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("yes"), None, ..) => return Some(true),
            (Some("d"), None, ..) => in_full(session, plan),
            (Some("e"), Some(address), path, None) => {
                if let Err(failure) = explained(session, project, (address, path)) {
                    session.view.diagnostics(&session.sources, &failure.0);
                }
            }
            _ => return Some(false),
        }
    }
}

/// Shows everything in full: on a terminal in a pager.
fn in_full(session: &mut Session, plan: &Plan) {
    let layout = Layout { detail: Detail::Full, ..session.layout };
    let mut text = String::new();
    terminal::render(plan, layout, &mut |part| text.push_str(part));
    if !(session.view.screen().out.is_terminal() && paged(session, &text)) {
        session.data(&text);
    }
}

/// Hands text to the pager, and says whether it took it. One that was left early has taken it.
fn paged(session: &Session, text: &str) -> bool {
    let pager = session.workplace.environment.get("PAGER").map_or(PAGER, String::as_str);
    let mut command = Command::new("sh");
    command.args(["-c", pager]).envs(&session.workplace.environment).stdin(Stdio::piped());
    if !session.workplace.environment.contains_key("LESS") {
        command.env("LESS", "FRX");
    }
    let Ok(mut child) = command.spawn() else { return false };
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever has seen enough leaves the rest unread.
        stdin.write_all(text.as_bytes()).unwrap_or_default();
    }
    // The shell ends with 127 where it finds no such program.
    child.wait().is_ok_and(|status| status.code() != Some(127))
}

fn explained(session: &mut Session, project: &Project, (address, path): (&str, Option<&str>)) -> Result<(), Failure> {
    let subject: Subject = address.parse().map_err(|_| {
        Failure::one("not an address", format!("`{address}` is none")).help("Write it as the plan does, as in `kind.name[\"key\"]`.")
    })?;
    let explanations = explain::explain(session, project, &subject, path)?;
    let text = explanation::text(&explanations, session.layout);
    session.data(&text);
    Ok(())
}
