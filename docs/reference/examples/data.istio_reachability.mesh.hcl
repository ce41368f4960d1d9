# Every cluster of the mesh reaches the API server of every other, and the gateways of other networks.
resource "sandbox_cluster" "this" {
  for_each = toset(["c1", "c2"])
  name     = each.key
}

check "reachable" {
  data "istio_reachability" "peers" {
    peers = {
      c1 = { cluster = sandbox_cluster.this["c1"], network = "network1", gateway = "10.2.1.40" }
      c2 = { cluster = sandbox_cluster.this["c2"], network = "network2", server = "https://api.c2.example:6443" }
    }
    timeout = "3s"
  }

  assert {
    condition     = data.istio_reachability.peers.reachable
    error_message = join("\n", data.istio_reachability.peers.unreached)
  }
}
