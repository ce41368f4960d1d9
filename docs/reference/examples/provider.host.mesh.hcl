provider "host" {
  become = "sudo"
}

resource "host_vip" "dns" {
  device  = "lo"
  address = "10.2.1.39"
}
