# helloworld2 answers from every zone with the zone's name; a sleep pod in every zone asks.

resource "kubernetes_namespace" "sample" {
  for_each = local.made
  cluster  = local.cluster[each.key]
  name     = "sample"
  labels   = { "istio-injection" = "enabled" }
}

# After the control plane, which injects the sidecars.
resource "kubernetes_manifests" "services" {
  for_each   = local.made
  cluster    = local.cluster[each.key]
  namespace  = kubernetes_namespace.sample[each.key].name
  content    = file("${path.module}/manifests/services.yaml")
  depends_on = [istio_operator.primary[each.key]]
}

resource "kubernetes_manifests" "zone" {
  for_each  = local.placed
  cluster   = local.cluster[each.value.cluster]
  namespace = kubernetes_namespace.sample[each.value.cluster].name
  content = templatefile("${path.module}/manifests/zone.yaml.tftpl", {
    version = replace(each.key, "n", "z")
    region  = each.value.region
    zone    = each.value.zone
  })
  depends_on = [kubernetes_labels.node[each.key], kubernetes_manifests.services[each.value.cluster]]
}
