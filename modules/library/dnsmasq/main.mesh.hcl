# A name server on an address of the host, in a container that has its configuration with it: an edited file is drift, and a changed one
# restarts the server, which reads it once.

locals {
  # Names as resolvers ask for them: labels of letters, digits, `-` and `_`, none longer than 63.
  domain = "^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"

  # What stands for a name server: whether it begins with an address is asked apart.
  server = "^[0-9A-Fa-f:.]+(#([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?$"

  # Addresses in their one short form, to be compared.
  address = try(cidrhost("${var.address}/${strcontains(var.address, ":") ? 128 : 32}", 0), var.address)

  domains = { for name, addresses in var.domains : lower(name) => flatten([addresses]) }
  hosts   = { for name, addresses in var.hosts : lower(name) => flatten([addresses]) }

  # Whoever is asked. Within a container a loopback address is the container's own, and over it the Engine's way to the host's resolver.
  servers = [for text in distinct(concat(var.upstreams, flatten(values(var.forwards)))) : {
    text    = text
    address = cidrhost("${split("#", text)[0]}/${strcontains(text, ":") ? 128 : 32}", 0)
    port    = try(tonumber(split("#", text)[1]), 53)
  }]
  own       = [for server in local.servers : server.text if server.address == local.address && server.port == 53]
  within    = [for server in local.servers : server.text if startswith(server.address, "127.") || contains(["::1", "0.0.0.0", "::"], server.address)]
  forwarded = [for domain in keys(var.forwards) : lower(domain)]

  # For a name that is answered here, `local` stands beside the addresses: without it a question for a sort of address that the name has not
  # would be passed on or refused, where the right answer is that there is none.
  configuration = join("\n", concat(
    [
      "no-resolv",
      "no-hosts",
      "pid-file=",
      "dns-loop-detect",
      "cache-size=${var.cache_size}",
      "local-ttl=${var.local_ttl}",
    ],
    var.log_queries ? ["log-queries=extra"] : [],
    [for server in var.upstreams : "server=${server}"],
    flatten([for domain, servers in var.forwards : [for server in flatten([servers]) : "server=/${lower(domain)}/${server}"]]),
    flatten([for domain, addresses in local.domains : concat([for address in addresses : "address=/${domain}/${address}"], ["local=/${domain}/"])]),
    flatten([for name, addresses in local.hosts : concat([for address in addresses : "host-record=${name},${address}"], ["local=/${name}/"])]),
    var.options,
    [""],
  ))

  # Without `web` the server alone: who runs webproc without a password lets every container of the network edit its configuration.
  bare = ["dnsmasq", "--keep-in-foreground", "--log-facility=-", "--conf-file=/etc/dnsmasq.conf"]
}

resource "docker_image" "this" {
  count = var.pull ? 1 : 0
  name  = var.image
}

resource "docker_container" "this" {
  name        = var.name
  image       = var.pull ? docker_image.this[0].id : var.image
  entrypoint  = var.entrypoint != null ? var.entrypoint : var.web == null ? local.bare : null
  env         = var.web == null ? {} : { HTTP_USER = var.web.user, HTTP_PASS = sensitive(var.web.password) }
  networks    = length(var.networks) == 0 ? null : [for network in var.networks : { network = network }]
  restart     = "always"
  log_options = { "max-size" = "100m" }

  ports = concat(
    [for protocol in ["udp", "tcp"] : { container_port = 53, host_port = 53, host_address = var.address, protocol = protocol }],
    var.web == null ? [] : [{ container_port = 8080, host_port = 8080, host_address = var.address, protocol = "tcp" }],
  )

  # A circle of servers that ask one another is an error of the plan.
  forwards_to = [for server in local.servers : "${strcontains(server.address, ":") ? "[${server.address}]" : server.address}:${server.port}"]

  files = {
    "/etc/dnsmasq.conf" = { content = local.configuration }
  }

  lifecycle {
    precondition {
      condition     = length(local.own) == 0
      error_message = "a name server on ${var.address} would ask itself without end: `${join("`, `", local.own)}`. Leave it out"
    }
    precondition {
      condition     = length(local.within) == 0
      error_message = "in a container these addresses are the container's own: `${join("`, `", local.within)}`. They lead to the name server itself, or to the resolver of the host, which asks it; name the server that the host's resolver asks"
    }
  }
}
