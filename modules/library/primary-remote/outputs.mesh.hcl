output "gateways" {
  description = "Address of each cluster's east-west gateway, of those that have one."
  value       = { for name, gateway in merge(istio_eastwest_gateway.primary, istio_eastwest_gateway.remote) : name => gateway.address }
}

output "root_certificate" {
  description = "The root that all clusters trust, as PEM."
  value       = ca_root.mesh.certificate
}

output "control_planes" {
  description = "What is installed of Istio in each cluster, for what is installed beside it."
  value       = local.control_planes
}

output "intermediates" {
  description = "The intermediate certificate of each cluster that has a control plane, as PEM."
  value       = { for name, authority in ca_intermediate.this : name => authority.certificate }
}
