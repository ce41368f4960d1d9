resource "sandbox_cluster" "c1" {
  name = "cluster1"
}

variable "password" {
  type      = string
  sensitive = true
}

resource "kubernetes_secret" "login" {
  cluster   = sandbox_cluster.c1
  name      = "login"
  namespace = "default"
  data      = { password = var.password }
}
