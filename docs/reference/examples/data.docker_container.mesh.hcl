# A node of a cluster that `kind` made.
data "docker_container" "node" {
  name = "cluster1-control-plane"
}

output "address" {
  value = data.docker_container.node.ip_addresses["kind"]
}
