# A mesh over clusters that are there already, such as kubeadm makes them: each with a control plane and a network of its own.

variable "contexts" {
  description = "Kubeconfig contexts by the cluster's name: those clusters are used as they are, for the others a sandbox is made."
  type        = map(string)
  default     = {}
}

variable "clusters" {
  description = "The clusters by the name that Istio calls them, and the network that the pods of each share."
  type        = map(object({ network = string }))
  default = {
    cluster1 = { network = "network1" }
    cluster2 = { network = "network2" }
  }

  validation {
    condition     = alltrue([for name in keys(var.contexts) : contains(keys(var.clusters), name)])
    error_message = "contexts name clusters that are none: ${join(", ", setsubtract(keys(var.contexts), keys(var.clusters)))}"
  }
}

locals {
  cluster = merge(sandbox_cluster.this, data.kubernetes_cluster.this)
}

resource "sandbox_cluster" "this" {
  for_each = { for name, cluster in var.clusters : name => cluster if !contains(keys(var.contexts), name) }
  name     = each.key
}

data "kubernetes_cluster" "this" {
  for_each = { for name, cluster in var.clusters : name => var.contexts[name] if contains(keys(var.contexts), name) }
  context  = each.value
}

module "mesh" {
  source   = "builtin:multi-primary"
  mesh_id  = "mesh1"
  clusters = { for name, cluster in var.clusters : name => merge(cluster, { cluster = local.cluster[name] }) }
}

# `helloworld` in every cluster, another version from cluster to cluster, and `sleep` to ask it with.
module "sample" {
  source     = "builtin:helloworld"
  clusters   = { for name, cluster in local.cluster : name => { cluster = cluster } }
  depends_on = [module.mesh]
}

# Whether the clusters reach each other, which they have to before anything else works: `meshplan check` shows it as a table.
check "reachable" {
  data "istio_reachability" "peers" {
    peers = {
      for name, cluster in var.clusters :
      name => merge(cluster, { cluster = local.cluster[name], gateway = lookup(module.mesh.gateways, name, null) })
    }
  }

  assert {
    condition     = data.istio_reachability.peers.reachable
    error_message = join("\n", data.istio_reachability.peers.unreached)
  }
}

output "gateways" {
  description = "Address of each cluster's east-west gateway."
  value       = module.mesh.gateways
}
