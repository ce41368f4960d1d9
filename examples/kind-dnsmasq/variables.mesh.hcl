variable "device" {
  description = "The interface that the addresses are added to; its network is 10.2.1.0/24"
  type        = string
  default     = "ens33"
}

variable "node_image" {
  description = "The image of all nodes, best with its digest; the one that the installed kind ships with without it"
  type        = string
  default     = null
}

variable "dns_image" {
  description = "An image with dnsmasq in its PATH"
  type        = string
  default     = "jpillora/dnsmasq"
}

variable "upstreams" {
  description = "The name servers that are asked for everything else"
  type        = list(string)
  default     = ["10.2.1.14", "1.1.1.1"]
}
