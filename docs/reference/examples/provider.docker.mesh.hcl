# An Engine on another machine, reached over TLS.
provider "docker" {
  host         = "tcp://lab.example:2376"
  certificates = "certificates"
}

resource "docker_network" "mesh" {
  name = "mesh"
}
