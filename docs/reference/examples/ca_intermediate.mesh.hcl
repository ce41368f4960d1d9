resource "ca_root" "mesh" {
}

resource "ca_intermediate" "c1" {
  issuer     = ca_root.mesh
  subject    = { organization = "Istio", common_name = "Intermediate CA", locality = "cluster1" }
  algorithm  = "rsa-4096"
  generation = 2 # rotated once
}
