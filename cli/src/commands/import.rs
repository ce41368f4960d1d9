//! `meshplan import`

use crate::args::{Performing, Planning};
use crate::failure::Failure;
use crate::perform::perform;
use crate::project::{Aim, Project};
use crate::session::Session;
use engine::address::{Address, Mode, NotAnAddress};
use engine::state::{Operation, Status};

/// Manage something that exists already
///
/// Looks at what ID names, shows what of it is not as the configuration of ADDRESS says, asks, and manages it from now on. The
/// configuration has to have the resource. Nothing else is changed. An `import` block does the same within a plan.
///
/// What ID has to be is a matter of the kind: of a namespace its name, of a Secret `namespace/name`, of any other object
/// `apiVersion=v1,kind=ConfigMap,namespace=n,name=a`.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  meshplan import kubernetes_namespace.shop shop\n  meshplan import 'kubernetes_secret.ca[\"eu\"]' istio-system/cacerts"
)]
pub struct Import {
    /// How it is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// How it is performed.
    #[command(flatten)]
    pub performing: Performing,
    /// The address that it gets
    #[arg(value_name = "ADDRESS")]
    pub address: String,
    /// What names it
    #[arg(value_name = "ID")]
    pub id: String,
}

pub(super) fn run(session: &mut Session, args: &Import) -> Result<u8, Failure> {
    let address: Address = args.address.parse().map_err(|error: NotAnAddress| Failure::one("not an address", error.to_string()))?;
    if address.mode != Mode::Managed || address.member.is_some() {
        let detail = format!("`{address}` is no managed resource of the configuration");
        return Err(Failure::one("not importable", detail).help("Import what a `resource` block describes."));
    }
    let state = session.remembered()?;
    if state.record(&address).is_some_and(|record| record.status != Status::Interrupted(Operation::Import)) {
        let detail = format!("the state has `{address}` already");
        return Err(Failure::one("managed already", detail).help("Nothing is left to import; `meshplan plan` shows what differs."));
    }
    let mut project = Project::load(session, &args.planning)?;
    project.import = Some((address, args.id.as_str().into()));
    perform(session, &project, &args.performing, Aim::Import)
}
