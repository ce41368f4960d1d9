resource "sandbox_cluster" "c1" {
  name = "cluster1"
}

data "kubernetes_manifest_source" "rules" {
  path      = "${path.module}/rules"
  recursive = true
}

resource "kubernetes_manifests" "rules" {
  cluster  = sandbox_cluster.c1
  objects  = data.kubernetes_manifest_source.rules.objects
  selector = { app = "helloworld" }
}
