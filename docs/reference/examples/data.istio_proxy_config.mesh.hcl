# What a client may reach of the application: pods of its own cluster, and the other network's gateway once.
resource "sandbox_cluster" "this" {
  for_each = toset(["c1", "c2"])
  name     = each.key
}

check "endpoints" {
  data "istio_proxy_config" "client" {
    clusters       = sandbox_cluster.this
    namespace      = "sample"
    label_selector = "app=sleep"
    service        = "helloworld.sample.svc.cluster.local"
    port           = 5000
  }

  assert {
    condition = alltrue(flatten([
      for pods in values(data.istio_proxy_config.client.endpoints) : [
        for endpoints in values(pods) : length([for endpoint in endpoints : endpoint if endpoint.port == 15443 && endpoint.healthy]) == 1
      ]
    ]))
    error_message = jsonencode(data.istio_proxy_config.client.endpoints)
  }
}
