data "kubernetes_cluster" "lab" {
  context = "kind-lab"
}

# Installed by its chart.
data "metallb" "lab" {
  cluster    = data.kubernetes_cluster.lab
  controller = "metallb-controller"
}

resource "metallb_pool" "lab" {
  metallb   = data.metallb.lab
  name      = "lab"
  addresses = ["172.18.255.200-172.18.255.250"]
}
