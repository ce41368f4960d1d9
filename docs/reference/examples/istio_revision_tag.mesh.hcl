resource "sandbox_cluster" "c1" {
  name = "cluster1"
}

resource "kubernetes_namespace" "istio_system" {
  cluster = sandbox_cluster.c1
  name    = "istio-system"
}

resource "istio_operator" "old" {
  cluster   = sandbox_cluster.c1
  namespace = kubernetes_namespace.istio_system.name
  installer = "operator"
  tag       = "1.23.6"
  revision  = "1-23"
}

# Namespaces choose it by the label `istio.io/rev = "stable"`, whichever revision it stands for.
resource "istio_revision_tag" "stable" {
  control_plane = istio_operator.old
  name          = "stable"
}
