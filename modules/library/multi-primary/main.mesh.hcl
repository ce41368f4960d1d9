# Multi-primary: a control plane in every cluster, one root of trust, and each control plane reads the endpoints of all others. Where clusters
# have different networks, traffic between these enters through the east-west gateways.

locals {
  # Istiod has to hand out every root, and proxies have to take them.
  proxy_metadata = merge(try(var.mesh_config.defaultConfig.proxyMetadata, {}), { PROXY_CONFIG_XDS_AGENT = "true" })
  proxies        = merge(try(var.mesh_config.defaultConfig, {}), { proxyMetadata = local.proxy_metadata })
  several_roots  = merge(var.mesh_config, { defaultConfig = local.proxies })

  # Those that pods of another network reach through a gateway: none while all pods reach each other directly.
  gated = length(distinct([for cluster in values(var.clusters) : cluster.network])) == 1 && length(var.clusters) > 1 ? {} : var.clusters

  # Every ordered pair of different clusters: the peer is told how to read the other.
  pairs = {
    for pair in setproduct(keys(var.clusters), keys(var.clusters)) :
    "${pair[0]}-in-${pair[1]}" => { reader = pair[0], peer = pair[1] } if pair[0] != pair[1]
  }

  has_operator = can(regex("^1\\.(?:[0-9]|1[0-9]|2[0-3])(?:[.-]|$)", var.istio_version))
  installer    = coalesce(var.installer, local.has_operator ? "operator" : "istioctl")
}

resource "ca_root" "mesh" {
  subject     = { organization = var.organization, common_name = "Root CA" }
  generations = try(var.ca.generations, null)
  signing     = try(var.ca.signing, null)
}

resource "ca_intermediate" "this" {
  for_each   = var.clusters
  issuer     = ca_root.mesh
  subject    = { organization = var.organization, common_name = "Intermediate CA", locality = each.key }
  generation = lookup(var.intermediate_generations, each.key, null)
}

# Istio learns the network of a cluster's pods from the label of this namespace.
resource "kubernetes_namespace" "istio_system" {
  for_each = var.clusters
  cluster  = each.value.cluster
  name     = var.namespace
  labels   = { "topology.istio.io/network" = each.value.network }
}

# Before the control plane: istiod signs with a root of its own where it finds none.
resource "istio_cacerts" "this" {
  for_each     = var.clusters
  cluster      = each.value.cluster
  namespace    = kubernetes_namespace.istio_system[each.key].name
  intermediate = ca_intermediate.this[each.key]
}

resource "istio_operator" "primary" {
  for_each     = var.clusters
  cluster      = each.value.cluster
  namespace    = kubernetes_namespace.istio_system[each.key].name
  cacerts      = istio_cacerts.this[each.key]
  installer    = local.installer
  content      = lookup(var.manifests, each.key, null)
  hub          = var.hub
  tag          = var.istio_version
  mesh_id      = var.mesh_id
  cluster_name = each.key
  network      = each.value.network
  mesh_config  = [var.mesh_config, local.several_roots][var.ca == null ? 0 : 1]
  values       = var.ca == null ? null : { pilot = { env = { ISTIO_MULTIROOT_MESH = "true" } } }
}

resource "istio_eastwest_gateway" "this" {
  for_each      = local.gated
  control_plane = istio_operator.primary[each.key]
}

resource "istio_expose_services" "this" {
  for_each = local.gated
  gateway  = istio_eastwest_gateway.this[each.key]
}

resource "istio_remote_reader" "this" {
  for_each         = var.clusters
  control_plane    = istio_operator.primary[each.key]
  token_generation = lookup(var.token_generations, each.key, null)
}

resource "istio_remote_secret" "this" {
  for_each  = local.pairs
  cluster   = var.clusters[each.value.peer].cluster
  namespace = kubernetes_namespace.istio_system[each.value.peer].name
  reader    = istio_remote_reader.this[each.value.reader]
}
