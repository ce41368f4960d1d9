resource "ca_root" "mesh" {
  subject       = { organization = "Istio", common_name = "Root CA" }
  validity_days = 3650
}

# A root that is there already, with its key kept elsewhere.
resource "ca_root" "offline" {
  certificate_pem = file("${path.module}/root-cert.pem")
}
