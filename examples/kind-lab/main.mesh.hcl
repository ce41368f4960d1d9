# Three clusters of kind on this machine, one Istio mesh over them, and an application that answers from all of them.

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
module "sample" {
  source        = "builtin:helloworld"
  clusters      = module.lab.clusters
  every_version = true
  depends_on    = [module.mesh]
}
output "gateways" { value = module.mesh.gateways }
