# Two clusters on this machine, each at an address of its own, and a name server that leads a domain to each of them.

locals {
  dns_vip = "10.2.1.39"
  clusters = {
    test-cluster01 = { vip = "10.2.1.40", label = "2", domain = "istio-cls1.com" }
    test-cluster02 = { vip = "10.2.1.41", label = "3", domain = "istio-cls2.com" }
  }
}

resource "host_vip" "dns" {
  device        = var.device
  address       = local.dns_vip
  prefix_length = 24
  broadcast     = "10.2.1.255"
  label         = "${var.device}:1"
}

resource "host_vip" "cluster" {
  for_each      = local.clusters
  device        = var.device
  address       = each.value.vip
  prefix_length = 24
  broadcast     = "10.2.1.255"
  label         = "${var.device}:${each.value.label}"
}

# A network of our own goes with the clusters; the one that kind makes by itself stays.
resource "docker_network" "this" {
  name   = "kind-dnsmasq"
  subnet = "172.30.0.0/16"
}

resource "kind_cluster" "this" {
  for_each   = local.clusters
  name       = each.key
  node_image = var.node_image
  network    = docker_network.this.name
  networking = { api_server_address = host_vip.cluster[each.key].address, api_server_port = 6443 }
  nodes = [
    { role = "control-plane" },
    { role = "worker", extra_port_mappings = [
      for port in [80, 443, 2222] : { container_port = port, host_port = port, listen_address = host_vip.cluster[each.key].address }
    ] },
  ]
}

module "dns" {
  source    = "builtin:dnsmasq"
  image     = var.dns_image
  address   = host_vip.dns.address
  upstreams = var.upstreams
  domains   = { for name, cluster in local.clusters : cluster.domain => host_vip.cluster[name].address }
}

resource "host_resolver" "this" {
  nameservers = [module.dns.address]
  domains     = [for cluster in local.clusters : cluster.domain]
}

check "names_resolve" {
  data "dns_lookup" "www" {
    server = module.dns.address
    names  = [for cluster in local.clusters : "www.${cluster.domain}"]
  }
  assert {
    condition     = alltrue([for cluster in local.clusters : contains(data.dns_lookup.www.addresses["www.${cluster.domain}"], cluster.vip)])
    error_message = "a domain does not lead to its cluster's address"
  }
}

output "api_servers" {
  description = "Where each cluster's API server is, for this machine and for the other clusters"
  value       = { for name, cluster in kind_cluster.this : name => cluster.server }
}
