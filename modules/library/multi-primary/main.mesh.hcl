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

  # With revisions: a control plane for each in every cluster, and a tag in every cluster for each name.
  revisions = var.revisions == null ? {} : var.revisions
  planes = {
    for pair in setproduct(keys(var.clusters), keys(var.versions)) :
    "${pair[0]}/${pair[1]}" => { cluster = pair[0], revision = pair[1] } if var.revisions != null
  }
  tags = {
    for pair in setproduct(keys(var.clusters), keys(local.revisions)) :
    "${pair[0]}/${pair[1]}" => { cluster = pair[0], name = pair[1], revision = local.revisions[pair[1]] } if contains(keys(var.versions), local.revisions[pair[1]])
  }
  without_version = [for revision in distinct(values(local.revisions)) : revision if !contains(keys(var.versions), revision)]

  # What a cluster has once comes in the newest of their versions.
  only_shared = var.revisions != null && !var.keep_unrevisioned
  in_order    = reverse(sort([for version in values(var.versions) : format("%05d %s", tonumber(regex("^v?1\\.([0-9]+)", version)[0]), version)]))
  shared_tag  = local.only_shared ? try(split(" ", local.in_order[0])[1], null) : var.istio_version

  # The control plane that gateways belong to.
  followed = {
    for name in keys(var.clusters) :
    name => var.revisions == null || length(local.without_version) > 0 ? istio_operator.primary[name] : istio_operator.revision["${name}/${local.revisions["stable"]}"]
  }

  mesh_config = [var.mesh_config, local.several_roots][var.ca == null ? 0 : 1]
  values      = var.ca == null ? null : { pilot = { env = { ISTIO_MULTIROOT_MESH = "true" } } }

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

# The control plane without a revision; where all have one, what they share: Istio's definitions and the account of readers.
resource "istio_operator" "primary" {
  for_each     = var.clusters
  cluster      = each.value.cluster
  namespace    = kubernetes_namespace.istio_system[each.key].name
  cacerts      = istio_cacerts.this[each.key]
  installer    = local.only_shared ? "istioctl" : local.installer
  content      = lookup(var.manifests, each.key, null)
  hub          = var.hub
  tag          = local.shared_tag
  profile      = local.only_shared ? "empty" : null
  components   = local.only_shared ? { base = { enabled = true } } : null
  definitions  = local.only_shared ? "manage" : null
  on_exists    = local.only_shared ? "adopt" : null
  mesh_id      = var.mesh_id
  cluster_name = each.key
  network      = each.value.network
  mesh_config  = local.mesh_config
  values       = local.values

  lifecycle {
    precondition {
      condition     = length(local.without_version) == 0
      error_message = "`versions` has to say the tag of each revision; it says none for ${join(", ", local.without_version)}"
    }
    precondition {
      condition     = var.revisions == null || coalesce(var.installer, "istioctl") == "istioctl" || var.keep_unrevisioned
      error_message = "control planes with revisions are installed by `istioctl`; `installer` says another, and is for those without a revision"
    }
  }
}

resource "istio_operator" "revision" {
  for_each     = local.planes
  cluster      = var.clusters[each.value.cluster].cluster
  namespace    = kubernetes_namespace.istio_system[each.value.cluster].name
  cacerts      = istio_cacerts.this[each.value.cluster]
  name         = "control-plane-${each.value.revision}"
  revision     = each.value.revision
  hub          = var.hub
  tag          = var.versions[each.value.revision]
  mesh_id      = var.mesh_id
  cluster_name = each.value.cluster
  network      = var.clusters[each.value.cluster].network
  mesh_config  = local.mesh_config
  values       = local.values
  components = {
    base            = { enabled = false }
    ingressGateways = [{ name = "istio-ingressgateway", enabled = false }]
  }
  depends_on = [istio_operator.primary[each.value.cluster]]
}

resource "istio_revision_tag" "this" {
  for_each      = local.tags
  control_plane = istio_operator.revision["${each.value.cluster}/${each.value.revision}"]
  name          = each.value.name
}

resource "istio_eastwest_gateway" "this" {
  for_each      = local.gated
  control_plane = local.followed[each.key]
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
