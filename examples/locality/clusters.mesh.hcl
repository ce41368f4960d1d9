# Where the mesh lies: kubeconfig contexts where they are named, sandboxes elsewhere.

locals {
  nodes     = { for name, node in var.nodes : name => node if contains(keys(var.clusters), node.cluster) }
  sandboxes = { for name, cluster in var.clusters : name => cluster if !contains(keys(var.contexts), name) }
  existing  = { for name, cluster in var.clusters : name => var.contexts[name] if contains(keys(var.contexts), name) }
  cluster   = merge(sandbox_cluster.this, data.kubernetes_cluster.this)

  # What is made: nothing of it where mesh and sample stand already.
  made   = { for name, cluster in var.clusters : name => cluster if !var.standing }
  placed = { for name, node in local.nodes : name => node if !var.standing }
}

resource "sandbox_cluster" "this" {
  for_each = local.sandboxes
  name     = each.key
  nodes    = [for name, node in local.nodes : name if node.cluster == each.key]
}

data "kubernetes_cluster" "this" {
  for_each = local.existing
  context  = each.value
}

# Istio prefers endpoints by the region and zone of their node.
resource "kubernetes_labels" "node" {
  for_each    = local.placed
  cluster     = local.cluster[each.value.cluster]
  api_version = "v1"
  kind        = "Node"
  name        = each.key
  force       = true # as kubectl label --overwrite
  labels = {
    "topology.kubernetes.io/region" = each.value.region
    "topology.kubernetes.io/zone"   = each.value.zone
  }
}
