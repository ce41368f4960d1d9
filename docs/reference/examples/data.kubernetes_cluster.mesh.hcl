data "kubernetes_cluster" "c1" {
  context = "c1-admin"
}

resource "kubernetes_namespace" "sample" {
  cluster = data.kubernetes_cluster.c1
  name    = "sample"
}
