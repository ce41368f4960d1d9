resource "sandbox_cluster" "c1" {
  name = "cluster1"
}

resource "kubernetes_config_patch" "strict_arp" {
  cluster   = sandbox_cluster.c1
  namespace = "kube-system"
  name      = "kube-proxy"
  key       = "config.conf"
  values    = { mode = "ipvs", ipvs = { strictARP = true } }
}

# kube-proxy reads its configuration when it starts.
resource "kubernetes_restart" "kube_proxy" {
  cluster   = sandbox_cluster.c1
  namespace = "kube-system"
  kind      = "DaemonSet"
  name      = "kube-proxy"
  triggers  = kubernetes_config_patch.strict_arp.values
}
