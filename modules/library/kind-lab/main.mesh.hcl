# Clusters of kind on a docker network of their own, each with a MetalLB whose pool lies in the half of the network that the Engine does not
# hand out.

locals {
  names = [for number in range(1, var.clusters + 1) : "${var.prefix}${number}"]
  vips  = var.vips == null ? {} : { for at, name in local.names : name => var.vips.addresses[at] }
}

resource "docker_network" "this" {
  name     = var.network
  subnet   = var.subnet
  ip_range = cidrsubnet(var.subnet, 1, 0)
}

resource "host_vip" "api" {
  for_each = local.vips
  device   = var.vips.device
  address  = each.value
}

resource "kind_cluster" "this" {
  for_each   = toset(local.names)
  name       = each.key
  node_image = var.node_image
  network    = docker_network.this.name
  networking = var.vips == null ? null : { api_server_address = host_vip.api[each.key].address, api_server_port = 6443 }
  nodes = concat(
    [{ role = "control-plane" }],
    [for number in range(var.workers) : { role = "worker" }],
  )
}

data "metallb_manifests" "this" {
  version = var.metallb_path == null ? var.metallb_version : null
  path    = var.metallb_path
}

# A lone node carries the control plane, and would announce nothing.
resource "metallb" "this" {
  for_each       = toset(local.names)
  cluster        = kind_cluster.this[each.key]
  manifests      = data.metallb_manifests.this
  excluded_nodes = "announce"
}

resource "address_ranges" "pools" {
  subnet   = docker_network.this.subnet
  ip_range = docker_network.this.ip_range
  names    = local.names
}

resource "metallb_pool" "this" {
  for_each  = toset(local.names)
  metallb   = metallb.this[each.key]
  name      = "lab"
  addresses = [address_ranges.pools.ranges[each.key]]
  subnet    = docker_network.this.subnet
}
