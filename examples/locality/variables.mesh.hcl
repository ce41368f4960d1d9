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

variable "standing" {
  description = "For `meshplan test` alone: mesh and sample stand already, made by the state of this directory, and a test adds its rules to them."
  type        = bool
  default     = false

  validation {
    condition     = !var.standing || alltrue([for name in keys(var.clusters) : contains(keys(var.contexts), name)])
    error_message = "nothing stands in a sandbox that a test has just made: name the contexts of all clusters"
  }
}

variable "scenario" {
  description = "The scenario whose rules are applied: a file below `scenarios`, without its ending. One at a time, as they are about one host."
  type        = string
  default     = null

  validation {
    condition     = var.scenario == null || contains(["CC2", "CC3", "CC4", "DNSP1", "DNSP2"], coalesce(var.scenario, "none"))
    error_message = "scenarios with rules are CC2, CC3, CC4, DNSP1 and DNSP2"
  }
}

variable "drained" {
  description = "Versions of helloworld2 whose proxies take no more connections, such as `c1z2`."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for version in var.drained : contains(keys(var.nodes), replace(version, "z", "n"))])
    error_message = "a version is named after its node: c1z2 runs on c1n2"
  }
}

variable "weights" {
  description = "How many of a hundred requests to helloworld2 each version gets, such as `{ c1z1 = 90, c2z1 = 10 }`; without it localities decide."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for version in keys(var.weights) : contains(keys(var.nodes), replace(version, "z", "n"))])
    error_message = "a version is named after its node: c1z2 runs on c1n2"
  }

  validation {
    condition     = length(var.weights) == 0 || var.scenario == null
    error_message = "weights and a scenario both write the rules of helloworld2: give one of the two"
  }
}

variable "addons" {
  description = "What else is installed into `istio-system`: manifests of a file or a directory below this one, or of the web with their SHA-256. In all clusters unless some are named."
  type = map(object({
    path     = optional(string)
    url      = optional(string)
    sha256   = optional(string)
    clusters = optional(list(string))
  }))
  default = {}

  validation {
    condition     = alltrue([for addon in var.addons : length(setsubtract(coalesce(addon.clusters, []), keys(var.clusters))) == 0])
    error_message = "an addon names a cluster that is none"
  }
}
