//! Giving interfaces addresses, and taking them away.

use crate::netlink::{Netlink, Refusal};
use crate::network::{Assigned, Network};
use engine::port::Failure;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// Whose an address is that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Claim {
    /// Somebody else's.
    Foreign,
    /// Ours.
    Ours,
}

/// An address as it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Assignment {
    /// The interface's name.
    pub(crate) device: String,
    /// The address.
    pub(crate) address: IpAddr,
    /// Bits of the network.
    pub(crate) prefix_length: u8,
    /// The broadcast address, if there is to be one.
    pub(crate) broadcast: Option<Ipv4Addr>,
    /// The label, where it is not the interface's name.
    pub(crate) label: Option<String>,
}

impl Assignment {
    /// As `ip address` writes it.
    pub(crate) fn written(&self) -> String {
        format!("{}/{}", self.address, self.prefix_length)
    }

    /// Whether an address that is there is this one in all that can be asked for.
    pub(crate) fn is_same(&self, there: &Assigned) -> bool {
        let label = there.label.as_deref().filter(|label| *label != self.device);
        (self.broadcast, self.label.as_deref()) == (there.broadcast, label)
    }
}

/// Gives an interface the address. One of ours that has another broadcast address or label is taken away first: the kernel alters neither.
///
/// Errors: the address is somebody else's or elsewhere, the interface is not there, rights are missing.
pub(crate) async fn assign(wanted: &Assignment, claim: Claim) -> Result<(), Failure> {
    let netlink = Netlink::open().map_err(unusable)?;
    let network = netlink.look().await.map_err(unusable)?;
    let Some(link) = network.link(&wanted.device) else { return Err(unknown_device(&wanted.device, &network)) };
    if let Some(elsewhere) = network.elsewhere(&wanted.device, wanted.address, wanted.prefix_length) {
        return Err(Failure::new("address elsewhere", elsewhere));
    }
    if let Some(there) = network.assigned(&wanted.device, wanted.address, wanted.prefix_length) {
        if claim == Claim::Foreign {
            return Err(Failure::new("exists, not ours", not_ours(wanted)));
        }
        if wanted.is_same(there) {
            return Ok(());
        }
        drop_kept(&netlink, &network, there).await?;
    }
    let assigned = Assigned {
        index: link.index,
        address: wanted.address,
        prefix_length: wanted.prefix_length,
        broadcast: wanted.broadcast,
        label: wanted.label.clone(),
        is_secondary: false,
    };
    netlink.add(&assigned).await.map_err(|refusal| told(refusal, wanted))
}

/// Takes the address away. One that is gone already is no failure.
pub(crate) async fn withdraw(known: &Assignment) -> Result<(), Failure> {
    let netlink = Netlink::open().map_err(unusable)?;
    let network = netlink.look().await.map_err(unusable)?;
    match network.assigned(&known.device, known.address, known.prefix_length) {
        Some(there) => drop_kept(&netlink, &network, there).await,
        None => Ok(()),
    }
}

/// What an address of somebody else is told with.
pub(crate) fn not_ours(wanted: &Assignment) -> String {
    format!("`{}` is on `{}` already, and was not set by this resource", wanted.written(), wanted.device)
}

/// What an interface is told with that is not there.
pub(crate) fn no_device(device: &str, network: &Network) -> String {
    format!("this machine has no interface `{device}`; there are {}", network.names())
}

fn unknown_device(device: &str, network: &Network) -> Failure {
    Failure::new("unknown device", no_device(device, network))
}

fn unusable(why: String) -> Failure {
    Failure::new("network not readable", why)
}

/// Takes an address away, and leaves those in place that the kernel would take along.
async fn drop_kept(netlink: &Netlink, network: &Network, there: &Assigned) -> Result<(), Failure> {
    let device = network.name(there.index);
    let known = Assignment {
        device: device.to_owned(),
        address: there.address,
        prefix_length: there.prefix_length,
        broadcast: there.broadcast,
        label: there.label.clone(),
    };
    let promotion = match &*network.hanging_on(there) {
        [] => None,
        others => Promotion::begin(device).map_err(|why| {
            let names: Vec<_> = others.iter().map(|other| format!("`{}`", other.address)).collect();
            let detail = format!(
                "the kernel would take {} along with `{}`, and `net.ipv4.conf.{device}.promote_secondaries`, which keeps it from that, cannot be \
                 set: {why}",
                names.join(", "),
                known.written()
            );
            Failure::new("other addresses in the way", detail)
        })?,
    };
    let removed = netlink.remove(there).await;
    drop(promotion);
    match removed {
        Ok(()) | Err(Refusal::NotThere | Refusal::NoDevice) => Ok(()),
        Err(refusal) => Err(told(refusal, &known)),
    }
}

/// A time in which the kernel keeps the other addresses of a network when one goes.
struct Promotion(PathBuf);

impl Promotion {
    /// Begins it, unless the kernel does so anyway.
    fn begin(device: &str) -> Result<Option<Self>, String> {
        let setting = |of: &str| PathBuf::from("/proc/sys/net/ipv4/conf").join(of).join("promote_secondaries");
        let is_set = |of: &str| std::fs::read_to_string(setting(of)).is_ok_and(|text| text.trim() == "1");
        if is_set("all") || is_set(device) {
            return Ok(None);
        }
        let own = setting(device);
        std::fs::write(&own, "1").map_err(|error| error.to_string())?;
        Ok(Some(Self(own)))
    }
}

impl Drop for Promotion {
    fn drop(&mut self) {
        // Where it stays, other addresses stay when one goes: nothing is lost by that.
        drop(std::fs::write(&self.0, "0"));
    }
}

fn told(refusal: Refusal, wanted: &Assignment) -> Failure {
    let (written, device) = (wanted.written(), &wanted.device);
    match refusal {
        Refusal::Rights => Failure::new("missing rights", format!("setting `{written}` on `{device}` needs `CAP_NET_ADMIN`")),
        Refusal::Exists => Failure::new("exists, not ours", not_ours(wanted)),
        Refusal::NoDevice => Failure::new("unknown device", format!("`{device}` went away")),
        Refusal::LongLabel => {
            let label = wanted.label.as_deref().unwrap_or_default();
            Failure::new("address not set", format!("the kernel takes at most 15 bytes as a label, and not `{label}`"))
        }
        Refusal::NotThere => Failure::new("address not set", format!("`{written}` is not to be had on `{device}`")),
        Refusal::Other(error) => Failure::new("address not set", format!("`{written}` on `{device}`: {}", error.desc())),
        Refusal::Silence => Failure::new("address not set", format!("`{written}` on `{device}`: the kernel gave no answer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::errno::Errno;

    fn vip() -> Assignment {
        let (address, broadcast) = ("10.2.1.40".parse().unwrap(), "10.2.1.255".parse().ok());
        Assignment { device: "eth0".to_owned(), address, prefix_length: 24, broadcast, label: Some("eth0:vip".to_owned()) }
    }

    #[test]
    fn errors_of_the_kernel_are_told_apart() {
        let rows = [
            (Refusal::Rights, "missing rights", "`CAP_NET_ADMIN`"),
            (Refusal::Exists, "exists, not ours", "`10.2.1.40/24` is on `eth0` already"),
            (Refusal::NoDevice, "unknown device", "`eth0` went away"),
            (Refusal::LongLabel, "address not set", "at most 15 bytes"),
            (Refusal::NotThere, "address not set", "`10.2.1.40/24`"),
            (Refusal::Other(Errno::EACCES), "address not set", "Permission denied"),
            (Refusal::Silence, "address not set", "no answer"),
        ];
        for (refusal, summary, detail) in rows {
            let failure = told(refusal, &vip());
            assert!(failure.summary == summary && failure.detail.contains(detail), "{failure}");
        }
        assert_eq!(unusable("x".to_owned()).summary, "network not readable");
    }

    #[test]
    fn the_interfaces_name_as_a_label_is_none() {
        let there = |label: &str, broadcast: &str| Assigned {
            index: 2,
            address: vip().address,
            prefix_length: 24,
            broadcast: broadcast.parse().ok(),
            label: Some(label.to_owned()),
            is_secondary: true,
        };
        let plain = Assignment { label: None, broadcast: None, ..vip() };
        assert!(vip().is_same(&there("eth0:vip", "10.2.1.255")) && plain.is_same(&there("eth0", "")));
        assert!(
            !vip().is_same(&there("eth0", "10.2.1.255"))
                && !vip().is_same(&there("eth0:vip", ""))
                && !plain.is_same(&there("eth0", "10.2.1.255"))
        );
    }
}
