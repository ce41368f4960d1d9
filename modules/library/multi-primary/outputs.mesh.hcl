output "gateways" {
  description = "Address of each cluster's east-west gateway, of those that have one."
  value       = { for name, gateway in istio_eastwest_gateway.this : name => gateway.address }
}

output "root_certificate" {
  description = "The root that all clusters trust, as PEM."
  value       = ca_root.mesh.certificate
}

output "control_planes" {
  description = "Each cluster's control plane, for what is installed beside it: with revisions that of `stable`."
  value       = local.followed
}

output "revisions" {
  description = "The control planes of all revisions, by cluster and revision as `cluster1/1-30`."
  value       = istio_operator.revision
}

output "intermediates" {
  description = "Each cluster's intermediate certificate, as PEM."
  value       = { for name, authority in ca_intermediate.this : name => authority.certificate }
}
