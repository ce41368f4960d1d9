# Two clusters of kind on one docker network, MetalLB in each, and one Istio mesh over both, with the sample application.

variable "clusters" {
  description = "The clusters: each is a network of its own to Istio"
  type        = set(string)
  default     = ["cluster1", "cluster2"]
}

variable "node_image" {
  description = "The image of the nodes; that of the installed kind without it"
  type        = string
  default     = null
}

variable "metallb_manifests" {
  description = "A copy of MetalLB's manifests, where the web cannot be reached"
  type        = string
  default     = null
}

# Containers get addresses of the lower half, load balancers of the upper one.
resource "docker_network" "kind" {
  name     = "kind-metallb"
  subnet   = "172.18.0.0/16"
  ip_range = "172.18.0.0/17"
}

resource "kind_cluster" "this" {
  for_each   = var.clusters
  name       = each.key
  node_image = var.node_image
  network    = docker_network.kind.name
}

data "metallb_manifests" "this" {
  version = var.metallb_manifests == null ? "0.16.2" : null
  path    = var.metallb_manifests
}

resource "metallb" "this" {
  for_each       = var.clusters
  cluster        = kind_cluster.this[each.key]
  manifests      = data.metallb_manifests.this
  excluded_nodes = "announce"
}

resource "address_ranges" "pools" {
  subnet   = docker_network.kind.subnet
  ip_range = docker_network.kind.ip_range
  names    = var.clusters
}

resource "metallb_pool" "this" {
  for_each  = var.clusters
  metallb   = metallb.this[each.key]
  name      = "kind"
  addresses = [address_ranges.pools.ranges[each.key]]
  subnet    = docker_network.kind.subnet
}

# Certificates, control planes, gateways, and the secrets by which the clusters read each other.
module "mesh" {
  source = "builtin:multi-primary"
  clusters = {
    for name, pool in metallb_pool.this : name => {
      cluster = kind_cluster.this[name]
      network = "network-${name}"
    }
  }
}

module "sample" {
  source        = "builtin:helloworld"
  clusters      = { for name, cluster in kind_cluster.this : name => { cluster = cluster } }
  every_version = true
  depends_on    = [module.mesh]
}

output "gateways" {
  description = "Address of each cluster's east-west gateway"
  value       = module.mesh.gateways
}

output "question" {
  description = "What a client in any of the clusters asks, and versions of both answer"
  value       = module.sample.url
}
