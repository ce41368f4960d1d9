# An image of a root file system that was made here, and one by digest.
resource "docker_image" "dnsmasq" {
  name         = "dnsmasq:2.90"
  archive      = "dnsmasq.tar"
  archive_hash = filesha256("dnsmasq.tar")
  changes      = ["ENTRYPOINT [\"dnsmasq\", \"--keep-in-foreground\"]"]
}

resource "docker_image" "node" {
  name = "kindest/node@sha256:a9a6a9e4a7d1e3b4c5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c"
  keep = true
}
