variable "clusters" {
  description = "The clusters of the mesh, by the name that Istio calls them: where each is reached, the network its pods share, and of those that have no control plane of their own the cluster whose control plane is theirs."
  type = map(object({
    cluster = cluster
    network = string
    primary = optional(string)
  }))

  validation {
    condition     = anytrue([for cluster in values(var.clusters) : cluster.primary == null])
    error_message = "a mesh needs at least one cluster with a control plane: one that names no `primary`"
  }

  validation {
    condition = alltrue([
      for cluster in values(var.clusters) : cluster.primary == null || try(var.clusters[cluster.primary].primary, "") == null
    ])
    error_message = "a `primary` is a cluster of the mesh that names no `primary` itself; these do not say one: ${join(", ", [for name, cluster in var.clusters : name if cluster.primary != null && try(var.clusters[cluster.primary].primary, "") != null])}"
  }
}

variable "mesh_id" {
  description = "Istio's `meshID`: the same in every cluster of the mesh."
  type        = string
  default     = "mesh1"
}

variable "organization" {
  description = "Organization in the certificates of the root and the intermediates."
  type        = string
  default     = "Istio"
}

variable "namespace" {
  description = "The namespace of the control planes."
  type        = string
  default     = "istio-system"
}

variable "installer" {
  description = "How Istio is installed: `istioctl` (rendered by that program), `operator` (in the cluster, below Istio 1.24) or `manifests`. Without it `operator` below Istio 1.24, and `istioctl` from there on."
  type        = string
  default     = null
}

variable "manifests" {
  description = "For the installer `manifests`: by the cluster's name what `istioctl manifest generate` prints for it."
  type        = map(string)
  default     = {}
}

variable "hub" {
  description = "The registry that Istio's images are pulled from; Istio's own without it."
  type        = string
  default     = null
}

variable "istio_version" {
  description = "The tag of Istio's images, 1.12 or later."
  type        = string
  default     = "1.23.6"
}

variable "token_generations" {
  description = "By the cluster's name: count it up (1, 2, 3, ...) to rotate the token by which its peers read it."
  type        = map(number)
  default     = {}
}

variable "mesh_config" {
  description = "Istio's `meshConfig` for every cluster."
  type        = any
  default     = null
}

variable "ca" {
  description = "The generations of the root, the oldest first, and which of them signs: one more, then another that signs, then one less, each an apply of its own. One root without it."
  type        = object({ generations = list(string), signing = string })
  default     = null
}

variable "intermediate_generations" {
  description = "By the cluster's name: count it up (1, 2, 3, ...) to give the istiod of a primary a new key and certificate under the same root."
  type        = map(number)
  default     = {}
}
