variable "clusters" {
  description = "The clusters of the mesh, by the name that Istio calls them: where each is reached, and the network its pods share."
  type = map(object({
    cluster = cluster
    network = string
  }))

  validation {
    condition     = length(var.clusters) > 0
    error_message = "a mesh needs at least one cluster"
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
  description = "How the control planes are installed: `istioctl` (rendered by that program), `operator` (in the cluster, below Istio 1.24) or `manifests`. Without it `operator` below Istio 1.24, and `istioctl` from there on."
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
  description = "The tag of Istio's images."
  type        = string
  default     = "1.23.6"
}

variable "revisions" {
  description = "Names by which namespaces choose a control plane, one of them `stable`, each with the revision that it stands for now. Gateways between networks are those of `stable`. Control planes without a revision without it."
  type        = map(string)
  default     = null

  validation {
    condition     = var.revisions == null || contains(keys(coalesce(var.revisions, {})), "stable")
    error_message = "one of the names has to be `stable`: the gateways between networks are of its revision"
  }
}

variable "versions" {
  description = "By revision the tag of its images. Each has a control plane in every cluster, whether a name stands for it or not."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for version in values(var.versions) : can(regex("^v?1\\.[0-9]+(?:[.-]|$)", version))])
    error_message = "a version is a tag of Istio's images, such as `1.30.4`; these are none: ${join(", ", [for version in values(var.versions) : version if !can(regex("^v?1\\.[0-9]+(?:[.-]|$)", version))])}"
  }

  validation {
    condition = alltrue([
      for revision, version in var.versions :
      !can(regex("^1-[0-9]+(?:-|$)", revision)) || try(regex("^1-([0-9]+)", revision)[0] == regex("^v?1\\.([0-9]+)", version)[0], false)
    ])
    error_message = "a revision that is called by a minor version is of that version: `1-30` of `1.30.4`"
  }
}

variable "keep_unrevisioned" {
  description = "Whether the control planes without a revision stay beside those of `revisions`, as long as pods move over."
  type        = bool
  default     = false
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
  description = "By the cluster's name: count it up (1, 2, 3, ...) to give its istiod a new key and certificate under the same root."
  type        = map(number)
  default     = {}
}
