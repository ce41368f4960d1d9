//! The lock as a Lease of `coordination.k8s.io/v1`: its own fields say what a Lease says, annotations the rest.

use ::kubernetes::Json;
use serde_json::json;
use state::{Claim, Holder, Standing};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The Lease that says what a lock says.
pub(crate) fn write(claim: &Claim, mut metadata: Json) -> Json {
    let renewed = claim.renewed.format(&Rfc3339).unwrap_or_default();
    let standing = match claim.standing {
        Standing::Held => "held",
        Standing::Free => "free",
        Standing::Broken => "broken",
    };
    let mut annotations = json!({ "meshplan/standing": standing, "meshplan/renewed": renewed });
    if let Some(Holder { id, owner, pid, operation, since }) = &claim.holder {
        let pid = pid.to_string();
        for (name, text) in [("id", id), ("owner", owner), ("pid", &pid), ("operation", operation), ("since", since)] {
            annotations[format!("meshplan/{name}")] = text.as_str().into();
        }
    }
    metadata["annotations"] = annotations;
    let mut spec =
        json!({ "leaseTransitions": claim.fence, "leaseDurationSeconds": claim.lease.as_secs().max(1), "renewTime": micro(claim.renewed) });
    if let (Standing::Held, Some(holder)) = (claim.standing, &claim.holder) {
        spec["holderIdentity"] = format!("{} {}", holder.owner, holder.id).into();
    }
    json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec })
}

/// A time as the API's `MicroTime` wants it: always with six digits.
fn micro(time: OffsetDateTime) -> String {
    let (date, clock) = (time.date(), time.time());
    format!("{date}T{:02}:{:02}:{:02}.{:06}Z", clock.hour(), clock.minute(), clock.second(), clock.microsecond())
}

/// The lock that a Lease says there is. One that meshplan did not write counts as one whose holder may still write.
pub(crate) fn read(lease: &Json) -> Claim {
    let text = |pointer: &str| lease.pointer(pointer).and_then(Json::as_str);
    let said = |name: &str| text(&format!("/metadata/annotations/meshplan~1{name}")).map(str::to_owned);
    let number = |name: &str| lease.pointer(&format!("/spec/{name}")).and_then(Json::as_u64).unwrap_or_default();
    let standing = match said("standing").as_deref() {
        Some("held") if text("/spec/holderIdentity").is_some() => Standing::Held,
        Some("free") => Standing::Free,
        _ => Standing::Broken,
    };
    let holder = said("id").map(|id| Holder {
        id,
        owner: said("owner").unwrap_or_default(),
        pid: said("pid").and_then(|pid| pid.parse().ok()).unwrap_or_default(),
        operation: said("operation").unwrap_or_default(),
        since: said("since").unwrap_or_default(),
    });
    let renewed = said("renewed").and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok());
    Claim {
        fence: number("leaseTransitions"),
        holder,
        standing,
        renewed: renewed.unwrap_or(OffsetDateTime::UNIX_EPOCH),
        lease: Duration::from_secs(number("leaseDurationSeconds")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_read_as_it_was_written_and_says_what_leases_say() {
        let renewed = OffsetDateTime::from_unix_timestamp_nanos(1_800_000_000_000_042_000).unwrap();
        let text = |text: &str| text.to_owned();
        let holder =
            Holder { id: text("i"), owner: text("ada@host"), pid: 7, operation: text("apply"), since: text("2027-01-15T08:00:00Z") };
        for standing in [Standing::Held, Standing::Free, Standing::Broken] {
            let claim = Claim { fence: 9, holder: Some(holder.clone()), standing, renewed, lease: Duration::from_mins(1) };
            let lease = write(&claim, json!({ "name": "prod" }));
            assert_eq!(read(&lease), claim);
            let spec = &lease["spec"];
            assert_eq!((&spec["leaseTransitions"], &spec["leaseDurationSeconds"]), (&json!(9), &json!(60)));
            assert_eq!(spec["renewTime"], "2027-01-15T08:00:00.000042Z");
            assert_eq!(spec.get("holderIdentity").is_some(), standing == Standing::Held);
        }
    }

    #[test]
    fn a_lease_of_somebody_else_gives_its_number_alone() {
        let lease = json!({ "spec": { "holderIdentity": "x", "leaseTransitions": 4, "leaseDurationSeconds": 15 } });
        assert_eq!(read(&lease), Claim { fence: 4, lease: Duration::from_secs(15), ..Claim::default() });
    }
}
