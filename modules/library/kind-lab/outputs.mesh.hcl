# A cluster is there for others once its load balancers get addresses: its key comes from its pool.
output "clusters" {
  description = "The clusters by name, as `builtin:multi-primary` takes them: `cluster`, and `network`, a name for the network of its pods."
  value = {
    for name, pool in metallb_pool.this : name => {
      cluster = kind_cluster.this[name]
      network = "network-${name}"
    }
  }
}

output "ranges" {
  description = "The addresses of each cluster's load balancers, as `first-last`."
  value       = address_ranges.pools.ranges
}
