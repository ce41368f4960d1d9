# A range for the load balancers of each cluster, in the half of a network that its Engine does not hand out.
variable "clusters" {
  type    = set(string)
  default = ["east", "west"]
}

resource "address_ranges" "pools" {
  subnet   = "172.30.0.0/16"
  ip_range = "172.30.0.0/17"
  names    = var.clusters
}

output "pools" {
  value = address_ranges.pools.ranges
}
