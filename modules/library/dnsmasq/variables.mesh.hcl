variable "image" {
  description = "An image with dnsmasq in its `PATH`, as `docker pull` takes it; with `web`, one that runs webproc over it, as `jpillora/dnsmasq` does."
  type        = string
}

variable "pull" {
  description = "Whether the module brings the image; `false` for one that another resource brings, whose id `image` then is."
  type        = bool
  default     = true
}

variable "address" {
  description = "The address of the host that it answers on, IPv4 or IPv6, such as that of a `host_vip`. No other address listens."
  type        = string

  validation {
    condition     = can(cidrhost("${var.address}/32", 0))
    error_message = "`${var.address}` is no address"
  }

  validation {
    condition     = !can(regex("^[0:.]+$", var.address))
    error_message = "the port 53 of all addresses of a host belongs to its own resolver as well; name the one address to answer on"
  }
}

variable "name" {
  description = "The name of the container."
  type        = string
  default     = "dnsmasq"
}

variable "networks" {
  description = "Networks of the Docker Engine that the container is connected to, names or ids; the Engine's default one without any."
  type        = list(string)
  default     = []
}

variable "upstreams" {
  description = "The name servers that are asked for everything else, `ADDRESS` or `ADDRESS#PORT`; what is unknown is refused without any."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for server in var.upstreams : can(cidrhost("${split("#", server)[0]}/32", 0)) && can(regex(local.server, server))])
    error_message = "no name servers: ${join(", ", [for server in var.upstreams : "`${server}`" if !(can(cidrhost("${split("#", server)[0]}/32", 0)) && can(regex(local.server, server)))])}. Write an address, or an address and a port as in `10.2.1.14#5353`"
  }
}

variable "forwards" {
  description = "Domains for which other name servers are asked: by domain one server or a list of them, written as `upstreams` are."
  type        = any
  default     = {}

  validation {
    condition     = alltrue([for domain in keys(var.forwards) : can(regex(local.domain, domain))])
    error_message = "no domains: ${join(", ", [for domain in keys(var.forwards) : "`${domain}`" if !can(regex(local.domain, domain))])}"
  }

  validation {
    condition     = alltrue([for server in flatten(values(var.forwards)) : can(cidrhost("${split("#", server)[0]}/32", 0)) && can(regex(local.server, server))])
    error_message = "no name servers: ${join(", ", [for server in flatten(values(var.forwards)) : "`${server}`" if !(can(cidrhost("${split("#", server)[0]}/32", 0)) && can(regex(local.server, server)))])}. Write an address, or an address and a port as in `10.2.1.14#5353`"
  }
}

variable "domains" {
  description = "Domains that lead, with every name below them, to an address or a list of addresses; to none for names that shall not be found."
  type        = any
  default     = {}

  validation {
    condition     = alltrue([for domain in keys(var.domains) : can(regex(local.domain, domain))])
    error_message = "no domains: ${join(", ", [for domain in keys(var.domains) : "`${domain}`" if !can(regex(local.domain, domain))])}. Every name below a domain is meant already, so that no `*.` stands before it"
  }

  validation {
    condition     = alltrue([for address in flatten(values(var.domains)) : can(cidrhost("${address}/32", 0))])
    error_message = "no addresses: ${join(", ", [for address in flatten(values(var.domains)) : "`${address}`" if !can(cidrhost("${address}/32", 0))])}"
  }

  validation {
    condition     = !anytrue([for domain in keys(var.domains) : contains(local.forwarded, lower(domain))])
    error_message = "each name is answered in one way, and these are in `forwards` as well: ${join(", ", [for domain in keys(var.domains) : "`${domain}`" if contains(local.forwarded, lower(domain))])}"
  }
}

variable "hosts" {
  description = "Single names with an address or a list of addresses, found in reverse as well. Names below them are not found."
  type        = any
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.hosts) : can(regex(local.domain, name))])
    error_message = "no names: ${join(", ", [for name in keys(var.hosts) : "`${name}`" if !can(regex(local.domain, name))])}"
  }

  validation {
    condition     = alltrue([for address in flatten(values(var.hosts)) : can(cidrhost("${address}/32", 0))])
    error_message = "no addresses: ${join(", ", [for address in flatten(values(var.hosts)) : "`${address}`" if !can(cidrhost("${address}/32", 0))])}"
  }

  validation {
    condition     = !anytrue([for name in keys(var.hosts) : contains(concat(local.forwarded, keys(local.domains)), lower(name))])
    error_message = "each name is answered in one way, and these are in `domains` or `forwards` as well: ${join(", ", [for name in keys(var.hosts) : "`${name}`" if contains(concat(local.forwarded, keys(local.domains)), lower(name))])}"
  }
}

variable "web" {
  description = "User and password of the page, on port 8080 of the same address, that shows the server's log and configuration; nothing is served without it."
  type        = object({ user = string, password = string })
  default     = null
}

variable "cache_size" {
  description = "How many names of other servers are remembered."
  type        = number
  default     = 150

  validation {
    condition     = var.cache_size >= 0 && floor(var.cache_size) == var.cache_size
    error_message = "names are counted in whole numbers from 0"
  }
}

variable "local_ttl" {
  description = "For how many seconds others may remember `domains` and `hosts`."
  type        = number
  default     = 0

  validation {
    condition     = var.local_ttl >= 0 && floor(var.local_ttl) == var.local_ttl
    error_message = "seconds are counted in whole numbers from 0"
  }
}

variable "log_queries" {
  description = "Whether each question stands in the container's log."
  type        = bool
  default     = false
}

variable "options" {
  description = "Further lines of the configuration, as dnsmasq's manual has them. They are passed on unread."
  type        = list(string)
  default     = []
}

variable "entrypoint" {
  description = "The program and its first arguments, for an image with ways of its own; it has to read `/etc/dnsmasq.conf` and stay in the foreground."
  type        = list(string)
  default     = null
}
