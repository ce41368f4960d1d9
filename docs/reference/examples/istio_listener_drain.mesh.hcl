data "kubernetes_cluster" "c1" {
  context = "c1-admin"
}

# As if the pods of one zone had failed: clients should go to another one.
resource "istio_listener_drain" "zone" {
  cluster        = data.kubernetes_cluster.c1
  namespace      = "sample"
  label_selector = "app=helloworld2,version=c1z2"
}
