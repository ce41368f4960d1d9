variable "clusters" {
  description = "The clusters by name: where each is reached, which versions of the application answer there and which clients ask, each on any node or on those with the labels of `node_selector`. Without `versions` it is `v2`, `v1`, `v2`, … in the order of the clusters' names, without `clients` one, `sleep`."
  type = map(object({
    cluster  = cluster
    versions = optional(map(object({ node_selector = optional(map(string)), replicas = optional(number) })))
    clients  = optional(map(object({ node_selector = optional(map(string)) })))
  }))

  validation {
    condition     = length(var.clusters) > 0
    error_message = "the application needs at least one cluster"
  }

  validation {
    condition     = !anytrue([for cluster in var.clusters : contains(keys(coalesce(cluster.clients, {})), var.name)])
    error_message = "`${var.name}` is the application, and cannot be one of its clients"
  }
}

variable "name" {
  description = "The name of the application, and of its service."
  type        = string
  default     = "helloworld"
}

variable "namespace" {
  description = "The namespace that is made for it in each cluster."
  type        = string
  default     = "sample"
}

variable "every_version" {
  description = "Whether clients in each cluster have to be answered by every version, those of the other clusters among them, as they are without rules that keep them near."
  type        = bool
  default     = false
}

variable "revision" {
  description = "The revision of the control plane that gives its pods their sidecars (`istio.io/rev`); the default one (`istio-injection`) without it."
  type        = string
  default     = null
}

variable "image" {
  description = "The image of the application, which answers with the version that `SERVICE_VERSION` names."
  type        = string
  default     = "docker.io/istio/examples-helloworld-v1"
}

variable "client_image" {
  description = "The image of the clients, with `curl` and `sleep` in it."
  type        = string
  default     = "docker.io/curlimages/curl"
}
