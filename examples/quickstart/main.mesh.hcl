# Two clusters, one mesh, on the embedded sandbox.

variable "clusters" {
  type    = set(string)
  default = ["cluster1", "cluster2"]
}

resource "sandbox_cluster" "this" {
  for_each = var.clusters
  name     = each.key
}

module "mesh" {
  source  = "builtin:multi-primary"
  mesh_id = "mesh1"
  clusters = {
    for name, cluster in sandbox_cluster.this : name => {
      cluster = cluster
      network = "network-${name}"
    }
  }
}

output "gateways" {
  description = "Address of each cluster's east-west gateway"
  value       = module.mesh.gateways
}

output "root_certificate" {
  description = "The root that both clusters trust, as PEM"
  value       = module.mesh.root_certificate
}

output "intermediates" {
  description = "The certificates that the clusters' control planes sign with, as PEM"
  value       = join("", values(module.mesh.intermediates))
}
