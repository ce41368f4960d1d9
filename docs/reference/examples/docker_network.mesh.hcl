# A network whose upper half stays free for addresses of load balancers.
resource "docker_network" "mesh" {
  name     = "mesh"
  subnet   = "172.30.0.0/16"
  ip_range = "172.30.0.0/17"
  gateway  = "172.30.0.1"
}
