resource "sandbox_cluster" "c1" {
  name = "cluster1"
}

data "kubernetes_object" "system" {
  cluster     = sandbox_cluster.c1
  api_version = "v1"
  kind        = "Namespace"
  name        = "kube-system"
}

output "uid" {
  value = data.kubernetes_object.system.object.metadata.uid
}
