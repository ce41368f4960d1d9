# The east-west gateway takes connections.
variable "gateway" {
  default = "10.2.1.40"
}

check "gateway_open" {
  data "tcp_probe" "gateway" {
    address = var.gateway
    port    = 15443
  }

  assert {
    condition     = data.tcp_probe.gateway.open
    error_message = "${var.gateway}:15443 is ${data.tcp_probe.gateway.status}"
  }
}
