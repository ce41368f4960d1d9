resource "ca_root" "mesh" {
  subject       = { organization = "Istio", common_name = "Root CA" }
  validity_days = 3650
  generations   = ["2024", "2026"] # both are trusted,
  signing       = "2024"           # and the older still signs
}

# A root that is there already, with its key kept elsewhere.
resource "ca_root" "offline" {
  certificate_pem = file("${path.module}/root-cert.pem")
}
