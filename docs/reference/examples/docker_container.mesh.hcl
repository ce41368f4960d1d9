# A server of names on an address of its own. A change of its file restarts it.
resource "docker_network" "lab" {
  name = "lab"
}

resource "docker_image" "dnsmasq" {
  name = "dnsmasq:2.90"
}

resource "docker_container" "dns" {
  name             = "dns"
  image            = docker_image.dnsmasq.id
  restart          = "unless-stopped"
  networks         = [{ network = docker_network.lab.id }]
  capabilities_add = ["NET_ADMIN"]
  log_options      = { "max-size" = "10m" }

  ports = [
    { container_port = 53, host_port = 53, host_address = "10.2.1.39", protocol = "udp" },
    { container_port = 53, host_port = 53, host_address = "10.2.1.39" },
  ]

  files = {
    "/etc/dnsmasq.conf" = {
      content = <<-EOT
        no-resolv
        server=1.1.1.1
        address=/mesh.test/10.2.1.40
        local=/mesh.test/
      EOT
    }
  }
}
