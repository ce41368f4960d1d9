variable "servers" {
  type    = map(string)
  default = { cluster1 = "https://10.2.1.40:6443", cluster2 = "https://10.2.1.41:6443" }
}

# Each as kubeadm leaves it on its own node: all of them with the same names.
resource "kubeconfig_merged" "mesh" {
  kubeconfigs = {
    for name, server in var.servers : name => yamlencode({
      apiVersion      = "v1"
      kind            = "Config"
      current-context = "kubernetes-admin@kubernetes"
      clusters        = [{ name = "kubernetes", cluster = { server = server } }]
      users           = [{ name = "kubernetes-admin", user = {} }]
      contexts = [{
        name    = "kubernetes-admin@kubernetes"
        context = { cluster = "kubernetes", user = "kubernetes-admin" }
      }]
    })
  }
  path            = "mesh.kubeconfig"
  current_context = "cluster1"
}

output "contexts" {
  value = kubeconfig_merged.mesh.contexts
}
