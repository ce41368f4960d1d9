# The network that `kind` makes for its nodes.
data "docker_network" "kind" {
  name = "kind"
}

output "subnet" {
  value = data.docker_network.kind.subnet
}
