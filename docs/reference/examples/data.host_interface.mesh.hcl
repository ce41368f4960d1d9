data "host_interface" "loopback" {
  name = "lo"
}

resource "meshplan_data" "facts" {
  input = { index = data.host_interface.loopback.index, up = data.host_interface.loopback.up }
}
