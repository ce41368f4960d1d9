# The control planes sign with intermediates of one root.
resource "sandbox_cluster" "this" {
  for_each = toset(["c1", "c2"])
  name     = each.key
}

check "one_root" {
  data "certificate_compare" "roots" {
    clusters = sandbox_cluster.this
    from     = "cacerts"
  }

  assert {
    condition     = data.certificate_compare.roots.equal
    error_message = "the roots are ${jsonencode(data.certificate_compare.roots.roots)}"
  }
}
