# Clusters at an Engine on another machine. The API server is published at an address of that machine.
provider "kind" {
  host         = "tcp://lab.example:2376"
  certificates = "certificates"
}

resource "kind_cluster" "lab" {
  name       = "lab"
  networking = { api_server_address = "10.2.1.40", api_server_port = 6443 }
}
