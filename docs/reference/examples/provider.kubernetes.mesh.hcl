variable "token" {
  type      = string
  default   = null
  ephemeral = true
}

provider "kubernetes" {
  alias           = "edge"
  kubeconfig      = "edge.kubeconfig"
  token           = var.token
  request_timeout = "3m"
}

data "kubernetes_cluster" "edge" {
  provider = kubernetes.edge
}

resource "kubernetes_namespace" "sample" {
  provider = kubernetes.edge
  cluster  = data.kubernetes_cluster.edge
  name     = "sample"
}
