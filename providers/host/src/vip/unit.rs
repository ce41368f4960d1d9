//! What sets an address again when the machine starts: a unit of systemd.

use super::assignment::Assignment;
use crate::file::disk::{Previous, Removal, There, Writing, look};
use std::path::{Path, PathBuf};

/// Where an administrator's units lie.
const UNITS: &str = "/etc/systemd/system";

/// Where a machine keeps the program that sets addresses.
const PROGRAMS: [&str; 4] = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"];

/// Why addresses cannot be set at a start of this machine, as a fragment; nothing if they can.
pub(crate) fn missing() -> Option<&'static str> {
    if !Path::new(UNITS).is_dir() {
        return Some("`/etc/systemd/system` is not there: systemd does not start this machine");
    }
    program().is_none().then_some("the program `ip` is not there, which sets addresses when the machine starts")
}

fn program() -> Option<&'static str> {
    PROGRAMS.into_iter().find(|path| Path::new(path).is_file())
}

/// The unit's name.
pub(crate) fn name(address: &Assignment) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_.:-".contains(c) { c } else { '_' };
    format!("meshplan-vip-{}-{}-{}.service", address.device.chars().map(plain).collect::<String>(), address.address, address.prefix_length)
}

fn path(address: &Assignment) -> PathBuf {
    Path::new(UNITS).join(name(address))
}

/// The unit as a file.
pub(crate) fn writing(address: &Assignment) -> Writing {
    let (path, text) = (path(address), text(address));
    Writing { path, text, mode: 0o644, owner: None, group: None, previous: Previous::Ours }
}

/// The end of the unit.
pub(crate) fn removal(address: &Assignment) -> Removal {
    Removal { path: path(address), backup: None, within: None }
}

/// Whether the unit is there as it would be written, and is started with the machine.
pub(crate) fn is_there(address: &Assignment) -> bool {
    let is_started = Path::new(UNITS).join("multi-user.target.wants").join(name(address)).is_symlink();
    is_started && matches!(look(&path(address)), Ok(There::File(found, _)) if found == text(address))
}

/// Whether anything of the unit is there.
pub(crate) fn is_left(address: &Assignment) -> bool {
    let units = Path::new(UNITS);
    [units.join("multi-user.target.wants"), units.to_owned()]
        .iter()
        .any(|directory| directory.join(name(address)).symlink_metadata().is_ok())
}

fn text(address: &Assignment) -> String {
    let device = address.device.replace('%', "%%");
    let mut command = format!("{} address replace {} dev {device}", program().unwrap_or(PROGRAMS[0]), address.written());
    if let Some(broadcast) = address.broadcast {
        command = format!("{command} broadcast {broadcast}");
    }
    if let Some(label) = &address.label {
        command = format!("{command} label {}", label.replace('%', "%%"));
    }
    if address.address.is_ipv6() {
        command.push_str(" nodad");
    }
    let after = format!("sys-subsystem-net-devices-{}.device", escaped(&address.device));
    format!(
        "# Written by meshplan, which writes it again when it is edited.\n[Unit]\nDescription=Address {} on {device}\nWants={after}\nAfter={after} \
         network.target\nBefore=network-online.target docker.service\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart={command}\n\n\
         [Install]\nWantedBy=multi-user.target\n",
        address.written()
    )
}

/// A name as systemd writes it in the names of units.
fn escaped(name: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b':' | b'.' => char::from(byte).to_string(),
        other => format!("\\x{other:02x}").replace('%', "%%"),
    };
    name.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_sets_what_the_arguments_say() {
        let vip = |device: &str, address: &str, prefix_length, label: Option<&str>| Assignment {
            device: device.to_owned(),
            address: address.parse().unwrap(),
            prefix_length,
            broadcast: label.and_then(|_| "10.2.1.255".parse().ok()),
            label: label.map(str::to_owned),
        };
        let four = vip("br-lan", "10.2.1.40", 24, Some("br-lan:1"));
        assert_eq!(name(&four), "meshplan-vip-br-lan-10.2.1.40-24.service");
        let text = text(&four);
        assert!(text.contains("ip address replace 10.2.1.40/24 dev br-lan broadcast 10.2.1.255 label br-lan:1\n"), "{text}");
        assert!(text.contains("Wants=sys-subsystem-net-devices-br\\x2dlan.device\n"), "{text}");
        let six = vip("eth0", "fd00::40", 128, None);
        assert_eq!(name(&six), "meshplan-vip-eth0-fd00::40-128.service");
        assert!(super::text(&six).contains("address replace fd00::40/128 dev eth0 nodad\n"));
    }
}
