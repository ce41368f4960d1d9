//! Pulling, making, finding and removing images.

use super::{ImageKind, Reference, facts, marks};
use crate::client::{CallError, Called, Client};
use crate::facts::Facts;
use crate::mark;
use crate::planning::Comparable as _;
use engine::port::{Done, Failure, Request};
use engine::question::Answer;
use engine::state::Record;
use engine::value::Value;
use serde_json::{Value as Json, json};
use std::path::Path;

/// The image of a name, if there is one.
pub(crate) async fn found(client: &Client, name: &str) -> Called<Option<Facts>> {
    Ok(inspected(client, name).await?.map(|image| facts(&image, name)))
}

/// The same as the Engine tells of it.
async fn inspected(client: &Client, name: &str) -> Called<Option<Json>> {
    match client.image(name).await {
        Ok(image) => Ok(Some(image)),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The image of a record. Of an archive only the one that was made is meant: what else has its name now is not it.
pub(crate) async fn read(client: &Client, record: &Record) -> Answer {
    let Some(name) = record.attributes.text("name") else { return Answer::Absent };
    let is_made = record.attributes.present("archive").is_some();
    match found(client, name).await {
        Ok(Some(facts)) if is_made && record.uid.as_deref().is_some_and(|uid| uid != facts.id) => Answer::Absent,
        Ok(Some(facts)) => Answer::Present(observed(facts, &record.attributes)),
        Ok(None) => Answer::Absent,
        Err(error) => Answer::Unreachable(error.message.into()),
    }
}

/// An observation that remembers what cannot be seen.
fn observed(mut facts: Facts, remembered: &Value) -> Value {
    facts.parts.insert("was_there".to_owned(), json!(remembered.get("was_there").and_then(Value::as_bool).unwrap_or_default()));
    facts.observed(remembered)
}

/// Pulls an image or makes it of its archive.
pub(crate) async fn create(client: &Client, request: &Request, directory: &Path) -> Result<Done, Failure> {
    let name = request.arguments.text("name").unwrap_or_default();
    let failed = |error: CallError| failed("brought to the Engine", name, &error);
    if let Some(archive) = request.arguments.text("archive") {
        let reference = Reference::of(name).and_then(|reference| Some((reference.repository, reference.tag?)));
        let reference = reference.ok_or_else(|| Failure::new("docker image not changed", format!("`{name}` has no tag")))?;
        let changes = request.arguments.get("changes").map(Value::items).unwrap_or_default();
        let changes = changes.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        client.import_image(reference, &directory.join(archive), changes).await.map_err(failed)?;
        // What had the name before has it no more: nothing was there.
        return looked_at(client, (name, false), &request.arguments).await;
    }
    let before = inspected(client, name).await.map_err(failed)?;
    if before.is_none() {
        request.activity.waits_for(format!("the image `{name}` is pulled"));
        let pulled = Reference::of(name).map_or_else(|| name.to_owned(), |reference| reference.pulled(name));
        client.pull_image(&pulled).await.map_err(failed)?;
    }
    let marks = marks(name);
    // What others here have pulled was not there before, and goes with the last of them.
    let was_there = before.as_ref().is_some_and(|before| mark::of_image(before, &marks).is_empty());
    if before.is_none() {
        // Of those who brought it before somebody took its name away, each brings it again.
        let pulled = inspected(client, name).await.map_err(failed)?.unwrap_or_default();
        for left in mark::of_image(&pulled, &marks) {
            client.remove_image(&format!("{marks}:{left}")).await.map_err(failed)?;
        }
    }
    if !was_there {
        client.tag_image(name, (&marks, request.id.as_str())).await.map_err(failed)?;
    }
    looked_at(client, (name, was_there), &request.arguments).await
}

/// Writes down an image as it is.
pub(crate) async fn update(client: &Client, request: &Request) -> Result<Done, Failure> {
    let name = request.arguments.text("name").unwrap_or_default();
    let remembered = request.prior.as_ref().and_then(|prior| prior.attributes.get("was_there")?.as_bool());
    // What was imported was there before; so may have been what an interrupted pull was about, unless it has got its mark.
    let was_there = match remembered {
        Some(remembered) => remembered,
        None if request.arguments.present("archive").is_some() => false,
        None => {
            let there = inspected(client, name).await.map_err(|error| failed("read", name, &error))?;
            !there.is_some_and(|there| mark::of_image(&there, &marks(name)).contains(&request.id.as_str()))
        }
    };
    looked_at(client, (name, was_there), &request.arguments).await
}

async fn looked_at(client: &Client, (name, was_there): (&str, bool), arguments: &Value) -> Result<Done, Failure> {
    let found = found(client, name).await.map_err(|error| failed("read", name, &error))?;
    let mut facts = found.ok_or_else(|| Failure::new("docker image not changed", format!("the image `{name}` is not there any more")))?;
    facts.parts.insert("was_there".to_owned(), json!(was_there));
    let attributes = facts.attributes(ImageKind::default().schema(), arguments);
    Ok(Done { uid: Some(facts.id.as_str().into()), ..Done::new(attributes) })
}

/// Removes an image, unless it is to be kept, was there before, or another record has brought it as well.
pub(crate) async fn delete(client: &Client, request: &Request) -> Result<(), Failure> {
    let says = |name: &str| request.arguments.get(name).and_then(Value::as_bool).unwrap_or_default();
    let name = request.arguments.text("name").unwrap_or_default();
    if says("was_there") {
        return Ok(());
    }
    if request.arguments.present("archive").is_none() {
        untag(client, name, &format!("{}:{}", marks(name), request.id)).await?;
    }
    if says("keep") {
        return Ok(());
    }
    let Some(there) = inspected(client, name).await.map_err(|error| failed("removed", name, &error))? else { return Ok(()) };
    let uid = request.prior.as_ref().and_then(|prior| prior.uid.as_deref());
    let is_another = uid.is_some_and(|uid| uid != facts(&there, name).id);
    if is_another || !mark::of_image(&there, &marks(name)).is_empty() {
        return Ok(());
    }
    untag(client, name, name).await
}

/// Takes a name from the image of a resource.
async fn untag(client: &Client, name: &str, taken: &str) -> Result<(), Failure> {
    match client.remove_image(taken).await {
        Ok(()) => Ok(()),
        Err(error) if error.is_absent() => Ok(()),
        Err(error) if error.status == Some(409) => {
            let detail = format!("`{name}` is used: {error}; remove those containers, or keep the image with `keep = true`");
            Err(Failure::new("docker image in use", detail))
        }
        Err(error) => Err(failed("removed", name, &error)),
    }
}

fn failed(what: &str, name: &str, error: &CallError) -> Failure {
    Failure::new("docker image not changed", format!("the image `{name}` was not {what}: {error}"))
}
