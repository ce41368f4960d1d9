# What looks at the mesh. A definition that a manifest brings is there before the objects of its kind.

locals {
  addons = merge([
    for name, addon in var.addons : {
      for cluster in coalesce(addon.clusters, keys(var.clusters)) : "${name}-in-${cluster}" => { addon = name, cluster = cluster }
    }
  ]...)
}

data "kubernetes_manifest_source" "addon" {
  for_each = var.addons
  path     = each.value.path == null ? null : "${path.module}/${each.value.path}"
  url      = each.value.url
  sha256   = each.value.sha256
}

resource "kubernetes_manifests" "addon" {
  for_each   = local.addons
  cluster    = local.cluster[each.value.cluster]
  namespace  = "istio-system"
  objects    = data.kubernetes_manifest_source.addon[each.value.addon].objects
  depends_on = [istio_operator.primary]
}
