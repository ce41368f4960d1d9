data "host_interface" "default" {}

locals {
  vips = { dns = "10.2.1.39", cluster1 = "10.2.1.40", cluster2 = "10.2.1.41" }
}

# `ip address` shows each under its own label.
resource "host_vip" "this" {
  for_each = local.vips
  device   = data.host_interface.default.name
  address  = each.value
  label    = "${data.host_interface.default.name}:${each.key == "dns" ? "d" : substr(each.key, -1, 1)}"
}
