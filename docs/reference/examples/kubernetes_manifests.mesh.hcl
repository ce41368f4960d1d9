resource "sandbox_cluster" "c1" {
  name = "cluster1"
}

resource "kubernetes_manifests" "services" {
  cluster   = sandbox_cluster.c1
  namespace = "default"
  content   = <<-YAML
    apiVersion: v1
    kind: Service
    metadata: { name: helloworld }
    spec:
      selector: { app: helloworld }
      ports: [{ name: http, port: 5000 }]
    ---
    apiVersion: v1
    kind: ServiceAccount
    metadata: { name: sleep }
  YAML
}
