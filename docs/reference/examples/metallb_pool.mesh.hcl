data "kubernetes_cluster" "east" {
  context = "kind-east"
}

data "metallb_manifests" "release" {
  version = "0.16.2"
}

resource "metallb" "east" {
  cluster   = data.kubernetes_cluster.east
  manifests = data.metallb_manifests.release
}

resource "address_ranges" "pools" {
  subnet = "172.18.0.0/16"
  names  = ["east", "west"]
}

resource "metallb_pool" "east" {
  metallb   = metallb.east
  name      = "lab"
  addresses = [address_ranges.pools.ranges["east"]]
  subnet    = address_ranges.pools.subnet
  taken     = ["172.18.0.1"]
}
