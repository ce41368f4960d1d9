# The ingress gateway serves the application by its name, before any name server knows it.
variable "ingress" {
  default = "10.2.1.40"
}

check "served" {
  data "http_probe" "hello" {
    url     = "http://hello.mesh.test/hello"
    address = var.ingress
    timeout = "30s"
  }

  assert {
    condition     = data.http_probe.hello.ok
    error_message = "no good answer came: ${jsonencode([data.http_probe.hello.status, data.http_probe.hello.failure])}"
  }
}
