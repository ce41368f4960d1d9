resource "host_file" "dnsmasq" {
  path    = "dnsmasq/mesh.conf"
  content = <<-EOT
    server=1.1.1.1
    address=/istio-cls1.com/10.2.1.40
    local=/istio-cls1.com/
  EOT
}

# What reads its configuration once is made again when that changes.
resource "meshplan_data" "server" {
  triggers_replace = host_file.dnsmasq.content_sha256
}
