# A cluster with a control plane, and clusters that it serves: kubeconfig contexts where they are named, sandboxes elsewhere.

variable "contexts" {
  description = "Kubeconfig contexts by the cluster's name: those clusters are used as they are, for the others a sandbox is made."
  type        = map(string)
  default     = {}
}

variable "clusters" {
  description = "The clusters by the name that Istio calls them, the network that the pods of each share, and who serves those without a control plane."
  type        = map(object({ network = string, primary = optional(string) }))
  default = {
    main0   = { network = "network1" }
    remote0 = { network = "network2", primary = "main0" }
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
  source   = "builtin:primary-remote"
  clusters = { for name, cluster in var.clusters : name => merge(cluster, { cluster = local.cluster[name] }) }
}

# One version of a service in each cluster, and a client to ask it with.
module "sample" {
  source     = "builtin:helloworld"
  clusters   = { for name, cluster in local.cluster : name => { cluster = cluster } }
  depends_on = [module.mesh]
}

# Half of all requests each; weights are changed here, and add up to 100. Remotes take these from the control plane.
resource "kubernetes_manifest" "subsets" {
  for_each = { for name, cluster in var.clusters : name => cluster if cluster.primary == null }
  cluster  = local.cluster[each.key]
  manifest = {
    apiVersion = "networking.istio.io/v1"
    kind       = "DestinationRule"
    metadata   = { name = "helloworld-destination", namespace = module.sample.namespaces[each.key] }
    spec = {
      host    = "helloworld"
      subsets = [for version in ["v1", "v2"] : { name = version, labels = { version = version } }]
    }
  }
}

resource "kubernetes_manifest" "weights" {
  for_each = kubernetes_manifest.subsets
  cluster  = local.cluster[each.key]
  manifest = {
    apiVersion = "networking.istio.io/v1"
    kind       = "VirtualService"
    metadata   = { name = "helloworld", namespace = module.sample.namespaces[each.key] }
    spec = {
      hosts = ["helloworld"]
      http = [{
        route = [
          for version, weight in { v1 = 50, v2 = 50 } : { destination = { host = "helloworld", subset = version }, weight = weight }
        ]
      }]
    }
  }
}

output "gateways" {
  description = "Address of each cluster's east-west gateway; the remotes reach their istiod at that of their primary."
  value       = module.mesh.gateways
}
