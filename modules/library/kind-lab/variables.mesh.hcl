variable "clusters" {
  description = "How many clusters there are, up to 60. They are named by `prefix` and a number, from 1."
  type        = number
  default     = 2

  validation {
    condition     = var.clusters >= 1 && var.clusters <= 60 && floor(var.clusters) == var.clusters
    error_message = "`clusters` is a whole number from 1 to 60"
  }
}

variable "prefix" {
  description = "What the names of the clusters begin with."
  type        = string
  default     = "cluster"
}

variable "network" {
  description = "The name of the docker network that is made for them."
  type        = string
  default     = "kind-lab"
}

variable "subnet" {
  description = "The network's addresses. Its lower half is for nodes, its upper half for load balancers."
  type        = string
  default     = "172.30.0.0/16"
}

variable "node_image" {
  description = "The image of the nodes, best with its digest; the one that the installed kind ships with without it."
  type        = string
  default     = null
}

variable "workers" {
  description = "How many nodes each cluster has beside that of its control plane."
  type        = number
  default     = 0
}

variable "metallb_version" {
  description = "The release of MetalLB, of those that meshplan knows the digests of."
  type        = string
  default     = "0.16.2"
}

variable "metallb_path" {
  description = "A copy of MetalLB's manifests, in place of the release's own files."
  type        = string
  default     = null
}

variable "vips" {
  description = "Addresses of the host for the API servers, on an interface of it, in the order of the clusters: they then have the same URL everywhere, also after a restart of the machine. Without it the API servers are at 127.0.0.1, and the clusters reach each other by the names of their nodes."
  type        = object({ device = string, addresses = list(string) })
  default     = null

  validation {
    condition     = try(length(var.vips.addresses), var.clusters) >= var.clusters
    error_message = "`vips` has fewer addresses than there are clusters"
  }
}
