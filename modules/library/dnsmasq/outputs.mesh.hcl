output "address" {
  description = "The address it answers on, once it does: what uses it comes after the server, and goes before it."
  value       = var.address
  depends_on  = [docker_container.this]
}

output "configuration" {
  description = "The whole text of `/etc/dnsmasq.conf`."
  value       = local.configuration
}

output "container_id" {
  description = "The Engine's id of the container."
  value       = docker_container.this.id
}
