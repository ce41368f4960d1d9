//! The lock in a store of objects, version 1.

use crate::holder::Holder;
use crate::remote::{Claim, Standing};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[derive(Serialize, Deserialize)]
struct ClaimV1 {
    fence: u64,
    standing: StandingV1,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<HolderV1>,
    renewed: String,
    lease_milliseconds: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StandingV1 {
    Held,
    Free,
    Broken,
}

#[derive(Serialize, Deserialize)]
struct HolderV1 {
    id: String,
    owner: String,
    pid: u32,
    operation: String,
    since: String,
}

/// The text of a lock.
pub(crate) fn write(claim: &Claim) -> Vec<u8> {
    let standing = match claim.standing {
        Standing::Held => StandingV1::Held,
        Standing::Free => StandingV1::Free,
        Standing::Broken => StandingV1::Broken,
    };
    let holder = claim.holder.clone().map(|Holder { id, owner, pid, operation, since }| HolderV1 { id, owner, pid, operation, since });
    let renewed = claim.renewed.format(&Rfc3339).unwrap_or_default();
    let lease_milliseconds = u64::try_from(claim.lease.as_millis()).unwrap_or(u64::MAX);
    let mut text =
        serde_json::to_vec_pretty(&ClaimV1 { fence: claim.fence, standing, holder, renewed, lease_milliseconds }).unwrap_or_default();
    text.push(b'\n');
    text
}

/// The lock in a text, if it is one.
pub(crate) fn read(text: &[u8]) -> Option<Claim> {
    let ClaimV1 { fence, standing, holder, renewed, lease_milliseconds } = serde_json::from_slice(text).ok()?;
    let standing = match standing {
        StandingV1::Held => Standing::Held,
        StandingV1::Free => Standing::Free,
        StandingV1::Broken => Standing::Broken,
    };
    let holder = holder.map(|HolderV1 { id, owner, pid, operation, since }| Holder { id, owner, pid, operation, since });
    let renewed = OffsetDateTime::parse(&renewed, &Rfc3339).ok()?;
    Some(Claim { fence, holder, standing, renewed, lease: Duration::from_millis(lease_milliseconds) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_read_as_it_was_written_and_anything_else_is_none() {
        for standing in [Standing::Held, Standing::Free, Standing::Broken] {
            for holder in [None, Some(Holder::this_process("apply"))] {
                let claim = Claim { fence: 3, holder, standing, renewed: Claim::now(), lease: Duration::from_millis(1500) };
                assert_eq!(read(&write(&claim)), Some(claim));
            }
        }
        for text in ["", "{}", "{\"fence\": 1}", "\u{1}"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }
}
