//! Suites over the engine and the whole command line; one binary, one link.
#![expect(clippy::unwrap_used, reason = "what goes wrong in a test fails it")]

mod address_ranges;
mod backends;
mod bad_input;
mod ci;
mod constructs;
mod digest;
mod dnsmasq;
mod explain;
mod faults;
mod fuzz;
mod helloworld;
mod host;
mod host_addresses;
mod host_resolver;
mod kind_lab;
mod laws;
mod limits;
mod mesh;
mod meshtest;
mod messages;
mod metallb;
mod objects;
mod pages;
mod places;
mod planning;
mod reference;
mod reviewed;
mod reviews;
mod rules;
mod saved;
mod schemas;
mod steps;
mod tidy;
mod transcript;
mod two_owners;
