# One root of trust, a control plane in every cluster, and every ordered pair of clusters knows each other.

locals {
  pairs = {
    for pair in setproduct(keys(local.made), keys(local.made)) :
    "${pair[0]}-in-${pair[1]}" => { reader = pair[0], peer = pair[1] } if pair[0] != pair[1]
  }
}

resource "ca_root" "mesh" {
  subject = { organization = "Istio", common_name = "Root CA" }
}

resource "ca_intermediate" "this" {
  for_each = local.made
  issuer   = ca_root.mesh
  subject  = { organization = "Istio", common_name = "Intermediate CA", locality = each.key }
}

resource "kubernetes_namespace" "istio_system" {
  for_each = local.made
  cluster  = local.cluster[each.key]
  name     = "istio-system"
  labels   = { "topology.istio.io/network" = each.value.network }
}

resource "istio_cacerts" "this" {
  for_each     = local.made
  cluster      = local.cluster[each.key]
  namespace    = kubernetes_namespace.istio_system[each.key].name
  intermediate = ca_intermediate.this[each.key]
}

resource "istio_operator" "primary" {
  for_each     = local.made
  cluster      = local.cluster[each.key]
  namespace    = kubernetes_namespace.istio_system[each.key].name
  name         = "istiocontrolplane-default"
  cacerts      = istio_cacerts.this[each.key]
  installer    = "operator"
  hub          = var.hub
  tag          = var.istio_version
  mesh_id      = "mesh1"
  cluster_name = each.key
  network      = each.value.network
  mesh_config = {
    defaultConfig = {
      proxyMetadata = {
        ISTIO_META_DNS_CAPTURE       = "true"
        ISTIO_META_DNS_AUTO_ALLOCATE = "true"
      }
    }
  }
}

# Cluster, network and revision follow from the control plane.
resource "istio_eastwest_gateway" "this" {
  for_each      = local.made
  control_plane = istio_operator.primary[each.key]
}

resource "istio_expose_services" "this" {
  for_each = local.made
  gateway  = istio_eastwest_gateway.this[each.key]
}

# One reader per cluster, and its secret in every peer.
resource "istio_remote_reader" "this" {
  for_each      = local.made
  control_plane = istio_operator.primary[each.key]
}

resource "istio_remote_secret" "this" {
  for_each  = local.pairs
  cluster   = local.cluster[each.value.peer]
  namespace = kubernetes_namespace.istio_system[each.value.peer].name
  reader    = istio_remote_reader.this[each.value.reader]
}

output "gateways" {
  description = "Address of each cluster's east-west gateway"
  value       = { for name, gateway in istio_eastwest_gateway.this : name => gateway.address }
}
