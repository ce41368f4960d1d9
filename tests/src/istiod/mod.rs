//! Real istiods: what the pods of `istiod` Deployments say is run, each as a process of its own that has the files, the variables and the
//! addresses of its container.
//!
//! The program is the one that `tests/real/istio.sh` builds, whatever the image. A container is a root directory and a network, in which the
//! API servers of all clusters listen where they do on the machine, and nothing else. What API servers ask of pods and webhooks comes to it through their
//! [`crate::apiserver::egress`]. Everything else about pods is played by the stand-ins.

mod container;
mod node;
mod volumes;

pub use node::Node;
