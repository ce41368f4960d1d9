//! The kernel's network, by netlink. Nothing else names the crate for it.

use crate::network::{Assigned, Link, Network};
use nix::errno::Errno;
use rtnetlink::packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use rtnetlink::{Error, Handle};
use std::net::IpAddr;
use tokio::task::JoinHandle;

/// Why the kernel did not do as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The right `CAP_NET_ADMIN` is missing.
    Rights,
    /// The address is there already.
    Exists,
    /// The interface is not there.
    NoDevice,
    /// The address is not there.
    NotThere,
    /// The label is longer than an interface's name may be.
    LongLabel,
    /// Another of the kernel's errors.
    Other(Errno),
    /// No answer.
    Silence,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let Error::NetlinkError(message) = error else { return Self::Silence };
        match Errno::from_raw(-message.raw_code()) {
            Errno::EPERM => Self::Rights,
            Errno::EEXIST => Self::Exists,
            Errno::ENODEV => Self::NoDevice,
            Errno::EADDRNOTAVAIL => Self::NotThere,
            Errno::ERANGE => Self::LongLabel,
            other => Self::Other(other),
        }
    }
}

/// A line to the kernel.
pub(crate) struct Netlink {
    handle: Handle,
    carrier: JoinHandle<()>,
}

impl Netlink {
    /// Opens it. Looking needs no rights.
    ///
    /// Errors: why there is none, as a fragment.
    pub(crate) fn open() -> Result<Self, String> {
        let (connection, handle, _) =
            rtnetlink::new_connection().map_err(|error| format!("the kernel's netlink does not answer: {error}"))?;
        Ok(Self { handle, carrier: tokio::spawn(connection) })
    }

    /// All interfaces and addresses, each in one dump.
    pub(crate) async fn look(&self) -> Result<Network, String> {
        let silent = |error: Error| format!("the kernel does not list its network: {error}");
        let mut network = Network::default();
        let mut links = std::pin::pin!(self.handle.link().get().execute());
        while let Some(found) = next(&mut links).await {
            network.links.push(link(&found.map_err(silent)?));
        }
        let mut addresses = std::pin::pin!(self.handle.address().get().execute());
        while let Some(found) = next(&mut addresses).await {
            network.addresses.extend(assigned(&found.map_err(silent)?));
        }
        Ok(network)
    }

    /// Gives an interface an address.
    pub(crate) async fn add(&self, wanted: &Assigned) -> Result<(), Refusal> {
        let mut request = self.handle.address().add(wanted.index, wanted.address, wanted.prefix_length);
        let message = request.message_mut();
        message.attributes.retain(|attribute| !matches!(attribute, AddressAttribute::Broadcast(_)));
        message.attributes.extend(wanted.broadcast.map(AddressAttribute::Broadcast));
        message.attributes.extend(wanted.label.clone().map(AddressAttribute::Label));
        if wanted.address.is_ipv6() {
            // Nobody else has it: it need not be asked for before it is used.
            message.header.flags |= AddressHeaderFlags::Nodad;
        }
        request.execute().await.map_err(Refusal::from)
    }

    /// Takes an address away.
    pub(crate) async fn remove(&self, known: &Assigned) -> Result<(), Refusal> {
        let mut request = self.handle.address().add(known.index, known.address, known.prefix_length);
        let message = request.message_mut();
        message.attributes.retain(|attribute| matches!(attribute, AddressAttribute::Local(_) | AddressAttribute::Address(_)));
        let message = message.clone();
        self.handle.address().del(message).execute().await.map_err(Refusal::from)
    }
}

impl Drop for Netlink {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

async fn next<S: futures::Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    futures::StreamExt::next(stream).await
}

fn link(message: &LinkMessage) -> Link {
    let is_up = message.header.flags.contains(LinkFlags::Up);
    let mut link = Link { index: message.header.index, name: String::new(), mac: String::new(), mtu: 0, is_up };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name.clone_from(name),
            LinkAttribute::Address(bytes) => link.mac = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"),
            LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
            _ => {}
        }
    }
    link
}

fn assigned(message: &AddressMessage) -> Option<Assigned> {
    let (mut local, mut address, mut broadcast, mut label): (Option<IpAddr>, Option<IpAddr>, _, _) = (None, None, None, None);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(found) => local = Some(*found),
            AddressAttribute::Address(found) => address = Some(*found),
            AddressAttribute::Broadcast(found) => broadcast = Some(*found),
            AddressAttribute::Label(found) => label = Some(found.clone()),
            _ => {}
        }
    }
    Some(Assigned {
        index: message.header.index,
        address: local.or(address)?,
        prefix_length: message.header.prefix_len,
        broadcast,
        label,
        is_secondary: message.header.flags.contains(AddressHeaderFlags::Secondary),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn looking_needs_no_rights_and_finds_the_loopback() {
        let network = Netlink::open().unwrap().look().await.unwrap();
        let loopback = network.link("lo").unwrap();
        assert!(loopback.index > 0 && loopback.mtu > 0 && loopback.mac == "00:00:00:00:00:00", "{loopback:?}");
    }
}
