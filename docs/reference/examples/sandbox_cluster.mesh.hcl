resource "sandbox_cluster" "c1" {
  name               = "cluster1"
  nodes              = ["c1n1", "c1n2"]
  load_balancer_pool = "172.18.255.200-172.18.255.250"
}
