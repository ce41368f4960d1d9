//! `meshplan sandbox`

use crate::exit;
use crate::failure::Failure;
use crate::providers::SANDBOX;
use crate::session::Session;
use clap::Subcommand;
use sandbox::{ServeOptions, Served, serve as serve_sandboxes};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Work with sandbox clusters
#[derive(Debug, Subcommand)]
pub enum Sandbox {
    /// Serve the sandbox clusters of this configuration to kubectl
    ///
    /// Listens on this machine alone until Ctrl-C, and writes a kubeconfig with one context per cluster. Clusters are there after the
    /// first apply.
    #[command(after_long_help = "Example:\n  meshplan sandbox serve --kubeconfig sandbox.yaml &\n  kubectl --kubeconfig sandbox.yaml \
                                 --context cluster1 get secret -A -l istio/multiCluster=true")]
    Serve(Serve),
}

/// How they are served.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Listen on this port; any free one without it
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// Write the kubeconfig to FILE instead of .meshplan/kubeconfig beside the configuration
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
}

pub(super) fn run(session: &mut Session, verb: &Sandbox) -> Result<u8, Failure> {
    match verb {
        Sandbox::Serve(args) => serve(session, args),
    }
}

fn serve(session: &mut Session, args: &Serve) -> Result<u8, Failure> {
    let kubeconfig = args.kubeconfig.as_ref().map_or_else(
        || session.workplace.directory.join(".meshplan").join("kubeconfig"),
        |file| session.workplace.working_directory.join(file),
    );
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let options = ServeOptions { base_directory: session.workplace.directory.join(SANDBOX), address, kubeconfig };
    let runtime = Session::runtime()?;
    let stop = (session.interrupt)();
    let view = &mut session.view;
    let ready = |served: &Served| view.say(&announcement(served));
    runtime.block_on(serve_sandboxes(options, ready, stop)).map_err(|error| {
        Failure::one("sandbox clusters not served", error.to_string()).help("Sandbox clusters are there after an apply that makes some.")
    })?;
    session.view.say("Stopped.");
    Ok(exit::DONE)
}

fn announcement(served: &Served) -> String {
    let (noun, names) = (if served.clusters.len() == 1 { "cluster" } else { "clusters" }, served.clusters.join(", "));
    let kubeconfig = served.kubeconfig.display();
    format!("Serving the sandbox {noun} {names} on {}.\n  export KUBECONFIG={kubeconfig}\nCtrl-C ends it.", served.address)
}
