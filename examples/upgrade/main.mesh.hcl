# Two clusters, each with a control plane, upgraded in place one after the other: the second one waits until the first one runs the new version.

variable "istio_version" {
  description = "Tag of Istio's images. One minor version up or down at a time."
  type        = string
  default     = "1.22.8"
}

variable "clusters" {
  description = "The clusters by the order in which they are upgraded, `first` and `second`, each with its context; sandboxes without it."
  type        = object({ first = string, second = string })
  default     = null
}

resource "sandbox_cluster" "this" {
  for_each = var.clusters == null ? toset(["first", "second"]) : toset([])
  name     = each.key
}

data "kubernetes_cluster" "this" {
  for_each = var.clusters == null ? {} : var.clusters
  context  = each.value
}

locals {
  clusters = merge(sandbox_cluster.this, data.kubernetes_cluster.this)
}

resource "kubernetes_namespace" "istio_system" {
  for_each = local.clusters
  cluster  = each.value
  name     = "istio-system"
}

resource "istio_operator" "first" {
  cluster   = local.clusters["first"]
  namespace = kubernetes_namespace.istio_system["first"].name
  installer = "operator"
  tag       = var.istio_version
}

# The gate: what it looks at is read when the first cluster is done, and again until it holds.
check "first_is_upgraded" {
  timeout = "5m"
  data "kubernetes_object" "istiod" {
    cluster     = local.clusters["first"]
    api_version = "apps/v1"
    kind        = "Deployment"
    namespace   = istio_operator.first.namespace
    name        = "istiod"
  }
  assert {
    condition = alltrue([
      for container in data.kubernetes_object.istiod.object.spec.template.spec.containers : endswith(container.image, ":${var.istio_version}")
    ])
    error_message = "istiod of the first cluster is not of the new version yet"
  }
  assert {
    condition     = try(data.kubernetes_object.istiod.object.status.availableReplicas, 0) > 0
    error_message = "istiod of the first cluster is not available"
  }
}

resource "istio_operator" "second" {
  cluster    = local.clusters["second"]
  namespace  = kubernetes_namespace.istio_system["second"].name
  installer  = "operator"
  tag        = var.istio_version
  depends_on = [check.first_is_upgraded]
}
