//! Suites over real API servers; each topic in a file of its own. Where the programs are missing, each test says so and passes.
#![expect(clippy::unwrap_used, reason = "what goes wrong in a test fails it")]

mod adoption;
mod assortment;
mod backends;
mod buckets;
mod config_patch;
mod conflicts;
mod creates;
mod definitions;
mod deletes;
mod differential;
mod digest;
mod example;
mod faults;
mod harness;
mod immutable;
mod imports;
mod kubeconfig;
mod kubeconfig_merged;
mod laws;
mod manifests;
mod meanwhile;
mod noise;
mod objects;
mod owners;
mod places;
mod preview;
mod remote_secrets;
mod remote_state;
mod requests;
mod restart;
mod scopes;
mod stand_ins;
mod strangers;
mod waits;
mod within;
