variable "contexts" {
  description = "Kubeconfig contexts by the cluster's name: those clusters are used as they are, for the others a sandbox is made."
  type        = map(string)
  default     = {}
}

variable "clusters" {
  description = "The clusters by the name that Istio calls them, and the network that the pods of each share."
  type        = map(object({ network = string }))
  default = {
    cluster1 = { network = "network1" }
    cluster2 = { network = "network2" }
    cluster3 = { network = "network3" }
  }

  validation {
    condition     = alltrue([for name in keys(var.contexts) : contains(keys(var.clusters), name)])
    error_message = "contexts name clusters that are none: ${join(", ", setsubtract(keys(var.contexts), keys(var.clusters)))}"
  }
}

variable "nodes" {
  description = "Each cluster's nodes by name, and where they stand."
  type        = map(object({ cluster = string, region = string, zone = string }))
  default = {
    c1n1 = { cluster = "cluster1", region = "region1", zone = "zone1" }
    c1n2 = { cluster = "cluster1", region = "region1", zone = "zone2" }
    c1n3 = { cluster = "cluster1", region = "region1", zone = "zone3" }
    c2n1 = { cluster = "cluster2", region = "region2", zone = "zone1" }
    c2n2 = { cluster = "cluster2", region = "region2", zone = "zone2" }
    c2n3 = { cluster = "cluster2", region = "region2", zone = "zone3" }
    c2n4 = { cluster = "cluster2", region = "region4", zone = "zone4" }
    c2n5 = { cluster = "cluster2", region = "region4", zone = "zone5" }
    c3n1 = { cluster = "cluster3", region = "region3", zone = "zone1" }
    c3n2 = { cluster = "cluster3", region = "region3", zone = "zone2" }
    c3n3 = { cluster = "cluster3", region = "region3", zone = "zone3" }
  }
}

variable "hub" {
  description = "The registry that Istio's images are pulled from."
  type        = string
  default     = "gcr.io/istio-release"
}

variable "istio_version" {
  description = "The tag of Istio's images."
  type        = string
  default     = "1.9.0"
}
