# A server that answers for the mesh and forwards everything else.
resource "host_resolver" "mesh" {
  nameservers = ["10.2.1.39"]
  domains     = ["istio-cls1.com", "istio-cls2.com"]
}
