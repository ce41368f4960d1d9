# A cluster with one worker, reached at an address of the host: its URL is the same for everybody.
resource "kind_cluster" "c1" {
  name       = "c1"
  node_image = "kindest/node:v1.37.0@sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5"
  networking = {
    api_server_address = "10.2.1.40"
    api_server_port    = 6443
    pod_subnet         = "10.244.0.0/16"
  }
  nodes = [
    { role = "control-plane" },
    {
      role   = "worker"
      labels = { "topology.kubernetes.io/zone" = "a" }
      extra_port_mappings = [
        for port in [80, 443] : { container_port = port, host_port = port, listen_address = "10.2.1.40" }
      ]
    },
  ]
}

resource "kubernetes_namespace" "mesh" {
  cluster = kind_cluster.c1
  name    = "istio-system"
}
