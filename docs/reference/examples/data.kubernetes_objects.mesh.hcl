resource "sandbox_cluster" "c1" {
  name = "cluster1"
}

resource "kubernetes_namespace" "team" {
  for_each = toset(["a", "b"])
  cluster  = sandbox_cluster.c1
  name     = "team-${each.key}"
  labels   = { "istio-injection" = "enabled" }
}

data "kubernetes_objects" "injected" {
  cluster        = sandbox_cluster.c1
  api_version    = "v1"
  kind           = "Namespace"
  label_selector = "istio-injection=enabled"
  depends_on     = [kubernetes_namespace.team]
}

output "injected" {
  value = [for namespace in data.kubernetes_objects.injected.objects : namespace.metadata.name]
}
