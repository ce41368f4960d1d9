output "url" {
  description = "What a client asks for: each answer names the version that gave it."
  value       = "http://${var.name}.${var.namespace}:5000/hello"
}

output "versions" {
  description = "By cluster the versions that answer there."
  value       = { for name, versions in local.versions : name => keys(versions) }
}

output "namespaces" {
  description = "By cluster the namespace, once it is there: for rules of traffic beside the application."
  value       = { for name, namespace in kubernetes_namespace.this : name => namespace.name }
  depends_on  = [kubernetes_manifests.versions, kubernetes_manifests.clients]
}
