//! What the server would make of an object: a dry run.

use super::ObjectProvider;
use super::conflict::{Conflict, conflicts};
use super::foreign::{FOREIGN, HELP, foreign};
use super::masking::{contents, masked};
use super::target::{desired, manager_of, with_uid, without};
use crate::client::{Apply, CallError, Served};
use crate::difference::dotted;
use crate::kind::Adapter;
use crate::object_kind::{Json, ObjectName, Ownership};
use crate::observation::observation;
use crate::rules::rewritten;
use engine::diagnostic::Diagnostic;
use engine::port::Connected;
use engine::question::{Answer, Proposal};
use engine::value::Value;

impl ObjectProvider {
    /// The answer to a preview. What keeps the server from saying is [`Answer::Unreachable`]: the plan then tells offline.
    pub(super) async fn preview(&self, proposal: &Proposal, place: Option<&Connected>) -> Answer {
        match self.dry_run(proposal, place).await {
            Ok(answer) => answer,
            Err(why) => Answer::Unreachable(why.into()),
        }
    }

    async fn dry_run(&self, proposal: &Proposal, place: Option<&Connected>) -> Result<Answer, String> {
        let adapter = self.adapter(&proposal.kind)?;
        let (name, object) = desired(adapter, &proposal.arguments)?;
        let body = object.to_json().map_err(|error| error.to_string())?;
        let place = place.ok_or("its cluster is not known")?;
        let cluster = self.clusters.cluster(&place.connection).await?;
        if let Some(refused) = misplaced(proposal, &name, cluster.served(&name.api_version, &name.kind).await.ok().flatten()) {
            return Ok(Answer::Refused(refused));
        }
        let manager = proposal.id.as_ref().map_or_else(|| "meshplan/plan".to_owned(), manager_of);
        let live = cluster.get(&name).await.map_err(|error| unsaid(&error))?;
        let mut body = with_uid(&body, proposal.uid.as_deref());
        for path in live.iter().flat_map(|live| rewritten(&name, live, &manager)) {
            without(&mut body, &path);
        }
        // What has no record and is there all the same is to be imported.
        let anew = proposal.id.is_none() && proposal.uid.is_none();
        if anew && let Some(refused) = unfit(adapter, proposal, (&name, &manager, live.as_ref())) {
            return Ok(Answer::Refused(refused));
        }
        let force = proposal.arguments.get("force").and_then(Value::as_bool) == Some(true);
        let there = live.as_ref().filter(|_| name.kind == "Secret").map_or_else(Value::null, contents);
        let run = async |force| {
            let outcome = cluster.apply(&name, &body, Apply { manager: &manager, force, dry_run: true }).await;
            outcome.map_err(|error| masked(masked(error, &object), &there))
        };
        let mut outcome = run(force).await;
        if let Err(error) = &outcome {
            let found = conflicts(error, live.as_ref());
            if !found.is_empty() {
                if anew || !found.iter().all(Conflict::is_by_hand) {
                    return Ok(Answer::Conflict(found.iter().map(|conflict| conflict.words().into()).collect()));
                }
                outcome = run(true).await;
            }
        }
        match outcome {
            Ok(reply) => Ok(Answer::Present(observation(&*adapter.kind, &proposal.arguments, &name, &reply.body, &manager))),
            Err(error) => rejected(&name.to_string(), &error),
        }
    }
}

/// What is wrong with an object that says a namespace and is of a kind that lies in none. A set's namespace is for those that can have one.
fn misplaced(proposal: &Proposal, name: &ObjectName, served: Option<Served>) -> Option<Diagnostic> {
    let namespace = name.namespace.as_ref().filter(|_| proposal.id.is_none() && proposal.address.member.is_none())?;
    let kind = &name.kind;
    served.filter(|served| !served.namespaced)?;
    let detail = format!("no namespace holds objects of kind `{kind}`, nor does `{namespace}`");
    Some(Diagnostic::error("namespace not used", detail).help("Leave `metadata.namespace` out."))
}

/// Why an object cannot be made: one is there already and is not ours, or nothing is there to label.
fn unfit(adapter: &Adapter, proposal: &Proposal, (name, manager, live): (&ObjectName, &str, Option<&Json>)) -> Option<Diagnostic> {
    match (adapter.kind.ownership(), live) {
        (Ownership::Object, Some(live)) if proposal.arguments.text("on_exists") != Some("adopt") => {
            let importable = adapter.kind.imported().is_some() && proposal.address.member.is_none();
            let import = if importable { " An `import` block does so as well." } else { "" };
            Some(Diagnostic::error(FOREIGN, foreign(name, manager, live, &[])).help(format!("{HELP}.{import}")))
        }
        (Ownership::Fields, None) => {
            let detail = format!("`{name}` is not there; labels are set on what somebody else makes");
            Some(Diagnostic::error("nothing to label", detail))
        }
        _ => None,
    }
}

/// What a refused dry run says: a replacement, an error of the object's own, or nothing about the object.
fn rejected(name: &str, error: &CallError) -> Result<Answer, String> {
    if error.is_immutable() {
        let paths = error.causes.iter().map(|(field, _)| Value::string(dotted(&steps(field)))).collect();
        return Ok(Answer::Present(Value::object([("immutable", Value::tuple(paths))])));
    }
    if error.reason == "NoKindMatch" {
        let help = "Something that defines it has to be there first: let `depends_on` name what brings it.";
        return Ok(Answer::Refused(Diagnostic::error("unknown kind of object", format!("`{name}`: {error}")).help(help)));
    }
    if error.is_early() {
        return Err(format!("what it needs is not there yet: {error}"));
    }
    let of_the_object = matches!(error.status, Some(400 | 403 | 422)) && !error.is_unauthorised() && !error.is_about_dry_runs();
    if of_the_object || error.is_denied() || error.is_untyped() {
        let detail = format!("the API server would refuse `{name}`: {error}");
        let help = "Correct it. If this plan changes what stands against it, let `depends_on` name that.";
        return Ok(Answer::Refused(Diagnostic::error("refused by the API server", detail).help(help)));
    }
    Err(unsaid(error))
}

/// Why the server does not say. What a user may not do is said of the kind of object, and not of each one anew.
fn unsaid(error: &CallError) -> String {
    let text = error.to_string();
    let at = text.find("User \"").filter(|_| error.is_unauthorised());
    at.and_then(|at| text.get(at..)).map_or(text.clone(), str::to_owned)
}

/// A field as the server names it, such as `spec.ports[0].name`, as steps.
fn steps(field: &str) -> Vec<String> {
    field.split(['.', '[', ']']).filter(|step| !step.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, message: &str, causes: &[(&str, &str)]) -> CallError {
        let causes = causes.iter().map(|(field, message)| ((*field).to_owned(), (*message).to_owned())).collect();
        CallError { status: Some(status), message: message.to_owned(), causes, ..CallError::default() }
    }

    #[test]
    fn a_field_that_cannot_change_replaces() {
        let pod = "Forbidden: pod updates may not change fields other than `spec.containers[*].image`";
        for (causes, paths) in [
            (&[("spec.selector", "field is immutable"), ("roleRef", "cannot change: immutable")][..], vec!["spec.selector", "roleRef"]),
            (&[("spec", pod)][..], vec!["spec"]),
            (&[("spec.clusterIPs[0]", "Invalid value: [\"10.96.0.20\"]: may not change once set")][..], vec!["spec.clusterIPs[0]"]),
        ] {
            let Ok(Answer::Present(answer)) = rejected("x/n/a", &error(422, "invalid", causes)) else { panic!("no answer") };
            let paths = paths.into_iter().map(Value::string).collect();
            assert_eq!(answer.get("immutable"), Some(&Value::tuple(paths)));
        }
    }

    #[test]
    fn what_is_wrong_with_the_object_is_an_error_and_all_else_falls_back() {
        for (status, message) in [
            (422, "no"),
            (400, "unknown field"),
            (500, "failed to create typed patch object (n/s; /v1, Kind=Service): .spec.port: field not declared in schema"),
            (403, "services \"s\" is forbidden: exceeded quota: q"),
            (403, "admission webhook \"w\" denied the request: not on a Friday"),
            (418, "admission webhook \"w\" denied the request: not on a Friday"),
        ] {
            assert!(matches!(rejected("a", &error(status, message, &[("spec.x", "required")])), Ok(Answer::Refused(_))), "{message}");
        }
        for (status, message) in [
            (400, "admission webhook \"w\" does not support dry run"),
            (403, "admission webhook \"w\" denied the request: no dry runs"),
            (403, "configmaps \"a\" is forbidden: User \"u\" cannot patch resource \"configmaps\""),
            (403, "pods \"a\" is forbidden: error looking up service account n/a: serviceaccount \"a\" not found"),
            (404, "namespaces \"n\" not found"),
            (500, "failed calling webhook"),
        ] {
            assert!(rejected("a", &error(status, message, &[])).is_err(), "{message}");
        }
    }

    #[test]
    fn a_kind_that_nothing_defines_is_an_error_of_its_own() {
        let unknown = CallError { reason: "NoKindMatch".into(), ..error(404, "the API server knows no kind", &[]) };
        let Ok(Answer::Refused(problem)) = rejected("Thing/n/a", &unknown) else { panic!("not refused") };
        assert_eq!((problem.summary.as_str(), problem.help.is_some()), ("unknown kind of object", true));
    }

    #[test]
    fn fields_of_the_server_become_steps() {
        assert_eq!(dotted(&steps("spec.ports[0].name")), "spec.ports[0].name");
    }
}
