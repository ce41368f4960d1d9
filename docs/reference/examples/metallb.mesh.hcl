variable "contexts" {
  type    = set(string)
  default = ["kind-east", "kind-west"]
}

data "kubernetes_cluster" "this" {
  for_each = var.contexts
  context  = each.key
}

data "metallb_manifests" "release" {
  version = "0.16.2"
}

# In clusters of one node, which kubeadm keeps out of load balancing.
resource "metallb" "this" {
  for_each       = var.contexts
  cluster        = data.kubernetes_cluster.this[each.key]
  manifests      = data.metallb_manifests.release
  excluded_nodes = "announce"
}
