//! Who this process is, and who others are called.

use nix::unistd::{Gid, Group, Uid, User};

/// The id of a user that is given by name or number.
///
/// Errors: a fragment that names it.
pub(crate) fn user_id(text: &str) -> Result<u32, String> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    match User::from_name(text) {
        Ok(Some(user)) => Ok(user.uid.as_raw()),
        Ok(None) => Err(format!("there is no user `{text}` on this machine")),
        Err(error) => Err(format!("the user `{text}` cannot be looked up: {error}")),
    }
}

/// The id of a group that is given by name or number.
///
/// Errors: a fragment that names it.
pub(crate) fn group_id(text: &str) -> Result<u32, String> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    match Group::from_name(text) {
        Ok(Some(group)) => Ok(group.gid.as_raw()),
        Ok(None) => Err(format!("there is no group `{text}` on this machine")),
        Err(error) => Err(format!("the group `{text}` cannot be looked up: {error}")),
    }
}

/// A user's name, or its number where it has none.
pub(crate) fn user_name(id: u32) -> String {
    let user = User::from_uid(Uid::from_raw(id)).ok().flatten();
    user.map_or_else(|| id.to_string(), |user| user.name)
}

/// A group's name, or its number where it has none.
pub(crate) fn group_name(id: u32) -> String {
    let group = Group::from_gid(Gid::from_raw(id)).ok().flatten();
    group.map_or_else(|| id.to_string(), |group| group.name)
}

/// The user that this process acts as.
pub(crate) fn own_user() -> u32 {
    Uid::effective().as_raw()
}

/// The kernel's number of the right to change the network.
const CAP_NET_ADMIN: u32 = 12;

/// Whether this process may set addresses.
///
/// Errors: why not, as a fragment.
pub(crate) fn may_set_addresses() -> Result<(), String> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let refused = || format!("the user `{}` has not the right `CAP_NET_ADMIN`", user_name(own_user()));
    if is_capable(&status, CAP_NET_ADMIN) { Ok(()) } else { Err(refused()) }
}

/// Whether a process has a right, by what the kernel tells of its status.
fn is_capable(status: &str, capability: u32) -> bool {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> capability & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_the_same_accounts() {
        assert_eq!((user_id("root"), user_id("0"), user_id("4711")), (Ok(0), Ok(0), Ok(4711)));
        assert_eq!((group_id("root"), group_id("0")), (Ok(0), Ok(0)));
        assert_eq!((user_name(0), group_name(0), user_name(4_000_111)), ("root".to_owned(), "root".to_owned(), "4000111".to_owned()));
        assert!(user_id("no-such-user").is_err_and(|why| why == "there is no user `no-such-user` on this machine"));
        assert!(group_id("no-such-group").is_err_and(|why| why == "there is no group `no-such-group` on this machine"));
    }

    #[test]
    fn rights_are_read_from_the_kernels_mask() {
        for (mask, expected) in
            [("CapEff:\t000001ffffffffff\n", true), ("CapEff:\t0000000000001000", true), ("CapEff:\t0000000000000fff", false), ("", false)]
        {
            assert_eq!(is_capable(mask, CAP_NET_ADMIN), expected, "{mask}");
        }
    }
}
