# Names below the domain of each cluster lead to it, and nowhere else.
variable "domains" {
  default = { "istio-cls1.com" = "10.2.1.40", "istio-cls2.com" = "10.2.1.41" }
}

check "names_resolve" {
  data "dns_lookup" "www" {
    server = "10.2.1.39"
    names  = [for domain in keys(var.domains) : "www.${domain}"]
  }

  assert {
    condition     = alltrue([for domain, address in var.domains : data.dns_lookup.www.addresses["www.${domain}"] == tolist([address])])
    error_message = "the name server answers ${jsonencode(data.dns_lookup.www.status)}"
  }

  # Told that there is no such name, some programs would not ask for an IPv4 address any more.
  assert {
    condition     = alltrue([for status in values(data.dns_lookup.www.status) : status["AAAA"] == "NODATA"])
    error_message = "the domains have IPv6 addresses, or none of the name at all"
  }
}
