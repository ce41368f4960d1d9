resource "sandbox_cluster" "c1" {
  name = "cluster1"
}

# `istio_operator` brings the object of this kind by itself; this is one written out.
resource "istio_revision" "injector" {
  cluster = sandbox_cluster.c1
  manifest = {
    apiVersion = "admissionregistration.k8s.io/v1"
    kind       = "MutatingWebhookConfiguration"
    metadata   = { name = "istio-sidecar-injector-1-30", labels = { "istio.io/rev" = "1-30" } }
    webhooks   = []
  }
}
