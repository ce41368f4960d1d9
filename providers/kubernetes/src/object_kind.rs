//! What another crate writes for a kind that is one Kubernetes object, or a set of them.

use engine::address::Address;
use engine::port::BoxFuture;
use engine::schema::{Member, Problem, Rendering, Schema};
use engine::value::Value;
use std::fmt;

/// An object as the API server sends it.
pub type Json = serde_json::Value;

/// What names an object within a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// Such as `v1` or `apps/v1`.
    pub api_version: String,
    /// Such as `Deployment`.
    pub kind: String,
    /// Nothing for what no namespace holds.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl ObjectName {
    /// The name of an object in a namespace.
    pub fn within(api_version: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), ..Self::global(api_version, kind, name) }
    }

    /// The name of an object that no namespace holds.
    pub fn global(api_version: &str, kind: &str, name: &str) -> Self {
        Self { api_version: api_version.to_owned(), kind: kind.to_owned(), namespace: None, name: name.to_owned() }
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

/// `Kind/namespace/name`, or `Kind/name` for what no namespace holds.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{}/{namespace}/{}", self.kind, self.name),
            None => write!(f, "{}/{}", self.kind, self.name),
        }
    }
}

/// Reads objects of one cluster.
pub trait Reader: Send + Sync {
    /// The object of this name, nothing if there is none, or why it could not be read.
    fn read<'a>(&'a self, name: &'a ObjectName) -> BoxFuture<'a, Result<Option<Json>, String>>;
}

/// What a created or updated object is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    /// Nothing.
    Nothing,
    /// What objects of its kind call ready: a Deployment available, a definition established, a load balancer with an address, …
    Ready,
    /// A condition of this type is true, and of the object as it is now.
    Condition(String),
    /// A field is there and not empty, or has this text.
    Field {
        /// Dotted, such as `status.status` or `status.loadBalancer.ingress.0.ip`; a dot within a name is written `\\.`.
        path: String,
        /// Such as `HEALTHY`; numbers and the like as JSON writes them.
        equals: Option<String>,
    },
    /// Fields, as lists of steps, are there and not empty; such as `["data", "ca.crt"]`.
    Present(&'static [&'static [&'static str]]),
}

/// What is waited for, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// What for.
    pub until: Until,
    /// Longest wait in seconds, unless the configuration's `timeouts` says otherwise; nothing for what is usual for objects of the
    /// kind.
    pub seconds: Option<u64>,
}

/// What a kind finds out after its wait.
#[derive(Debug, Clone, PartialEq)]
pub enum Settled {
    /// Its computed attributes.
    Yes(Vec<(&'static str, Value)>),
    /// Not ready yet, and why, as a fragment. It is asked again until the deadline.
    NotYet(String),
}

/// How much of its object a kind owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// The object: made and deleted with the resource.
    Object,
    /// Some fields of an object that must be there: given back when the resource is deleted, and no identity of their own.
    Fields,
}

/// A kind that is one Kubernetes object or a set of them: whether [`ObjectKind::object`] answers decides which. Arguments come converted to the
/// schema's types; where a record is read they are the record's, in which references stand as their addresses and secrets as
/// fingerprints.
pub trait ObjectKind: Send + Sync {
    /// The kind's data. Kinds that are one object get a computed attribute `id` (`apiVersion/Kind/namespace/name`) in addition.
    fn schema(&self) -> &Schema;

    /// Every problem that the arguments alone show, beyond what is wrong with any object. Unknown parts are no problem.
    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let _ = arguments;
        Vec::new()
    }

    /// Problems that show only when all planned instances of the kind are seen together: see [`engine::schema::Kind::lint`].
    fn lint(&self, instances: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
        let _ = instances;
        Vec::new()
    }

    /// The place the instance lies in: by default where the schema's place argument leads.
    fn place(&self, arguments: &Value) -> Option<Address> {
        let argument = self.schema().place?;
        Some(arguments.get(argument)?.instance()?.address.clone())
    }

    /// The object these arguments write, with `apiVersion`, `kind` and `metadata`; nothing for sets. May hold unknowns: a leaf copied from
    /// an argument keeps its computation.
    fn object(&self, arguments: &Value) -> Option<Result<Value, Problem>>;

    /// The members these arguments render to; nothing for single objects.
    fn members(&self, arguments: &Value) -> Option<Result<Vec<Member>, Problem>> {
        let _ = arguments;
        None
    }

    /// What the set has to be rendered from by the kind's provider: see [`engine::schema::Kind::rendering`].
    fn rendering(&self, arguments: &Value) -> Option<Result<Rendering, Problem>> {
        let _ = arguments;
        None
    }

    /// The members of a set that was rendered to this: see [`engine::schema::Kind::rendered`].
    fn rendered(&self, arguments: &Value, rendered: &Value) -> Result<Vec<Member>, Problem> {
        let _ = (arguments, rendered);
        Ok(Vec::new())
    }

    /// The arguments that an import compares with what is there, each with the path in the object of what it writes (a Secret's text stands in
    /// `stringData`); nothing for kinds whose objects are not imported.
    fn imported(&self) -> Option<&'static [(&'static str, &'static [&'static str])]> {
        None
    }

    /// The one kind of objects that it writes, as `apiVersion` and `kind`, if it is always the same.
    fn writes(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// The arguments that write an object; for kinds whose objects are imported.
    fn described(&self, object: &Value) -> Vec<(&'static str, Value)> {
        let _ = object;
        Vec::new()
    }

    /// Computed attributes of a single object, as far as they are known: from the arguments alone while planning, else with the live object.
    /// What is missing is unknown before apply and null after.
    fn attributes(&self, arguments: &Value, live: Option<&Json>) -> Vec<(&'static str, Value)> {
        let _ = (arguments, live);
        Vec::new()
    }

    /// What is waited for after a create or update.
    fn wait(&self, arguments: &Value) -> Wait {
        let _ = arguments;
        Wait { until: Until::Ready, seconds: None }
    }

    /// Computed attributes that need more than the object, once the object and all members are ready: a gateway's address from its
    /// Service, a reader's token from its Secret. An error is a fragment that says why it could not be read.
    fn settled<'a>(&'a self, arguments: &'a Value, reader: &'a dyn Reader) -> BoxFuture<'a, Result<Settled, String>> {
        let _ = (arguments, reader);
        Box::pin(async { Ok(Settled::Yes(Vec::new())) })
    }

    /// Whether it is the object that is owned, or fields of another's.
    fn ownership(&self) -> Ownership {
        Ownership::Object
    }

    /// What a record keeps of the attributes: see [`engine::schema::Kind::remembered`].
    fn remembered(&self, attributes: &Value, secret_key: &[u8]) -> Value {
        let _ = secret_key;
        attributes.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_prints_as_a_members_key() {
        let secret = ObjectName::within("v1", "Secret", "istio-system", "cacerts");
        assert_eq!((secret.to_string().as_str(), secret.group()), ("Secret/istio-system/cacerts", ""));
        let role = ObjectName::global("rbac.authorization.k8s.io/v1", "ClusterRole", "reader");
        assert_eq!((role.to_string().as_str(), role.group()), ("ClusterRole/reader", "rbac.authorization.k8s.io"));
    }
}
