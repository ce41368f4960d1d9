# Three clusters of kind on this machine, one Istio mesh over them.

variable "node_image" { default = null }

module "lab" {
  source     = "builtin:kind-lab"
  clusters   = 3
  node_image = var.node_image
}

module "mesh" {
  source   = "builtin:multi-primary"
  clusters = module.lab.clusters
}

output "gateways" {
  description = "Address of each cluster's east-west gateway"
  value       = module.mesh.gateways
}
