# A control plane that clusters share, as Istio 1.7 had it: networks are listed in the primary, traffic between them and to istiod passes through the
# ingress gateways, and the remote is told the address of the primary's.

variable "contexts" {
  description = "Kubeconfig contexts of `main0` and `remote0`: those clusters are used as they are, for the others a sandbox is made."
  type        = map(string)
  default     = {}
}

locals {
  clusters = { main0 = { network = "network1" }, remote0 = { network = "network2" } }
  cluster  = merge(sandbox_cluster.this, data.kubernetes_cluster.this)

  tag     = "1.7.3"
  hub     = "docker.io/istio"
  gateway = { registry_service_name = "istio-ingressgateway.istio-system.svc.cluster.local", port = 443 }
  control = { main0 = istio_operator.main, remote0 = istio_operator.remote }
}

resource "sandbox_cluster" "this" {
  for_each = { for name, cluster in local.clusters : name => cluster if !contains(keys(var.contexts), name) }
  name     = each.key
}

data "kubernetes_cluster" "this" {
  for_each = { for name, cluster in local.clusters : name => var.contexts[name] if contains(keys(var.contexts), name) }
  context  = each.value
}

resource "ca_root" "mesh" {
  subject = { organization = "Istio", common_name = "Root CA" }
}

resource "ca_intermediate" "this" {
  for_each = local.clusters
  issuer   = ca_root.mesh
  subject  = { organization = "Istio", common_name = "Intermediate CA", locality = each.key }
}

resource "kubernetes_namespace" "istio_system" {
  for_each = local.clusters
  cluster  = local.cluster[each.key]
  name     = "istio-system"
  labels   = { "topology.istio.io/network" = each.value.network }
}

# In both, since the profile of a remote brings an istiod for certificates and injection up to 1.11.
resource "istio_cacerts" "this" {
  for_each     = local.clusters
  cluster      = local.cluster[each.key]
  namespace    = kubernetes_namespace.istio_system[each.key].name
  intermediate = ca_intermediate.this[each.key]
}

resource "istio_operator" "main" {
  cluster      = local.cluster["main0"]
  namespace    = kubernetes_namespace.istio_system["main0"].name
  cacerts      = istio_cacerts.this["main0"]
  installer    = "operator"
  hub          = local.hub
  tag          = local.tag
  mesh_id      = "mesh1"
  cluster_name = "main0"
  network      = "network1"

  wait_for_load_balancer = true
  values = {
    global = {
      meshNetworks = {
        for name, cluster in local.clusters : cluster.network => { endpoints = [{ fromRegistry = name }], gateways = [local.gateway] }
      }
      meshExpansion = { enabled = true }
    }
  }
}

# The address is known once the load balancer answers.
resource "istio_operator" "remote" {
  cluster      = local.cluster["remote0"]
  namespace    = kubernetes_namespace.istio_system["remote0"].name
  cacerts      = istio_cacerts.this["remote0"]
  installer    = "operator"
  hub          = local.hub
  tag          = local.tag
  mesh_id      = "mesh1"
  cluster_name = "remote0"
  network      = "network2"
  values       = { global = { remotePilotAddress = istio_operator.main.ingress_address } }
}

# The guide's `cluster-aware-gateway`.
resource "istio_expose_services" "cluster_aware" {
  for_each = local.clusters
  gateway  = local.control[each.key]
  name     = "cluster-aware-gateway"
  port     = 443
}

resource "istio_remote_reader" "remote" {
  control_plane = istio_operator.remote
}

resource "istio_remote_secret" "remote" {
  cluster   = local.cluster["main0"]
  namespace = kubernetes_namespace.istio_system["main0"].name
  reader    = istio_remote_reader.remote
}

output "remote_pilot_address" {
  description = "Where the remote reaches its istiod: the address of the primary's ingress gateway."
  value       = istio_operator.main.ingress_address
}
