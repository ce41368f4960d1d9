# Primaries and remotes: some clusters have a control plane, the others are served by one of these through its east-west gateway. Every
# control plane reads the endpoints of all other clusters.

locals {
  # Istiod has to hand out every root, and proxies have to take them.
  proxy_metadata = merge(try(var.mesh_config.defaultConfig.proxyMetadata, {}), { PROXY_CONFIG_XDS_AGENT = "true" })
  proxies        = merge(try(var.mesh_config.defaultConfig, {}), { proxyMetadata = local.proxy_metadata })
  several_roots  = merge(var.mesh_config, { defaultConfig = local.proxies })

  primaries = { for name, cluster in var.clusters : name => cluster if cluster.primary == null }
  remotes   = { for name, cluster in var.clusters : name => cluster if cluster.primary != null }
  serving   = toset([for cluster in values(local.remotes) : cluster.primary])

  # Whether some cluster has pods that others do not reach directly.
  crosses = length(distinct([for cluster in values(var.clusters) : cluster.network])) > 1

  # Every pair of a control plane and a cluster that it does not run in.
  pairs = {
    for pair in setproduct(keys(var.clusters), keys(local.primaries)) :
    "${pair[0]}-in-${pair[1]}" => { reader = pair[0], peer = pair[1] } if pair[0] != pair[1]
  }
  read = toset([for pair in values(local.pairs) : pair.reader])

  control_planes = merge(istio_operator.primary, istio_operator.remote)

  has_operator = can(regex("^1\\.(?:[0-9]|1[0-9]|2[0-3])(?:[.-]|$)", var.istio_version))
  installer    = coalesce(var.installer, local.has_operator ? "operator" : "istioctl")
}

resource "ca_root" "mesh" {
  subject     = { organization = var.organization, common_name = "Root CA" }
  generations = try(var.ca.generations, null)
  signing     = try(var.ca.signing, null)
}

resource "ca_intermediate" "this" {
  for_each   = local.primaries
  issuer     = ca_root.mesh
  subject    = { organization = var.organization, common_name = "Intermediate CA", locality = each.key }
  generation = lookup(var.intermediate_generations, each.key, null)
}

# Istio learns the network of a cluster's pods from the label of this namespace, and who may serve the cluster from its annotation.
resource "kubernetes_namespace" "istio_system" {
  for_each    = var.clusters
  cluster     = each.value.cluster
  name        = var.namespace
  labels      = { "topology.istio.io/network" = each.value.network }
  annotations = each.value.primary == null ? {} : { "topology.istio.io/controlPlaneClusters" = each.value.primary }
}

# Before the control plane: istiod signs with a root of its own where it finds none.
resource "istio_cacerts" "this" {
  for_each     = local.primaries
  cluster      = each.value.cluster
  namespace    = kubernetes_namespace.istio_system[each.key].name
  intermediate = ca_intermediate.this[each.key]
}

resource "istio_operator" "primary" {
  for_each     = local.primaries
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
  values = merge(
    contains(local.serving, each.key) ? { global = { externalIstiod = true } } : {},
    var.ca == null ? {} : { pilot = { env = { ISTIO_MULTIROOT_MESH = "true" } } },
  )
}

# Remotes reach their istiod through it, also where all pods share a network.
resource "istio_eastwest_gateway" "primary" {
  for_each      = { for name, cluster in local.primaries : name => cluster if local.crosses || contains(local.serving, name) }
  control_plane = istio_operator.primary[each.key]
}

resource "istio_expose_istiod" "this" {
  for_each = local.serving
  gateway  = istio_eastwest_gateway.primary[each.key]
}

# Remotes take their configuration from the control plane, so that this exposes their services too.
resource "istio_expose_services" "this" {
  for_each = { for name, cluster in local.primaries : name => cluster if local.crosses }
  gateway  = istio_eastwest_gateway.primary[each.key]
}

resource "istio_operator" "remote" {
  for_each     = local.remotes
  cluster      = each.value.cluster
  namespace    = kubernetes_namespace.istio_system[each.key].name
  installer    = local.installer
  content      = lookup(var.manifests, each.key, null)
  hub          = var.hub
  tag          = var.istio_version
  profile      = "remote"
  mesh_id      = var.mesh_id
  cluster_name = each.key
  network      = each.value.network
  mesh_config  = [var.mesh_config, local.several_roots][var.ca == null ? 0 : 1]
  values = {
    istiodRemote = { injectionPath = "/inject/cluster/${each.key}/net/${each.value.network}" }
    global       = { remotePilotAddress = istio_eastwest_gateway.primary[each.value.primary].address }
  }
  depends_on = [istio_expose_istiod.this[each.value.primary]]
}

resource "istio_remote_reader" "this" {
  for_each         = local.read
  control_plane    = local.control_planes[each.key]
  token_generation = lookup(var.token_generations, each.key, null)
}

resource "istio_remote_secret" "this" {
  for_each  = local.pairs
  cluster   = var.clusters[each.value.peer].cluster
  namespace = kubernetes_namespace.istio_system[each.value.peer].name
  reader    = istio_remote_reader.this[each.value.reader]
}

# What injects a remote's pods is its primary, which has to read the remote first.
resource "istio_eastwest_gateway" "remote" {
  for_each      = { for name, cluster in local.remotes : name => cluster if local.crosses }
  control_plane = istio_operator.remote[each.key]
  depends_on    = [istio_remote_secret.this["${each.key}-in-${each.value.primary}"]]
}
