# Requests divided among versions, wherever their clients and pods are.

resource "kubernetes_manifests" "weights" {
  for_each  = length(var.weights) == 0 ? {} : var.clusters
  cluster   = local.cluster[each.key]
  namespace = "sample"

  # The subsets have to be known in every cluster: the gateway of another network finds a subset's pods by them.
  objects = [
    {
      apiVersion = "networking.istio.io/v1beta1"
      kind       = "DestinationRule"
      metadata   = { name = "helloworld2-versions" }
      spec = {
        host    = "helloworld2.sample.svc.cluster.local"
        subsets = [for version in keys(var.weights) : { name = version, labels = { version = version } }]
      }
    },
    {
      apiVersion = "networking.istio.io/v1beta1"
      kind       = "VirtualService"
      metadata   = { name = "helloworld2" }
      spec = {
        hosts = ["helloworld2.sample.svc.cluster.local"]
        http = [{
          route = [for version, weight in var.weights : {
            destination = { host = "helloworld2.sample.svc.cluster.local", subset = version }
            weight      = weight
          }]
        }]
      }
    },
  ]

  depends_on = [istio_operator.primary, kubernetes_manifests.zone]
}
