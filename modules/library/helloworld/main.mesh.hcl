# One service in every cluster, and behind it the versions that run there; clients to ask with. A name resolves only where its Service is, so that
# each cluster has all of them.

locals {
  names = keys(var.clusters)
  versions = { for name, cluster in var.clusters : name =>
    coalesce(cluster.versions, { "v${(index(local.names, name) + 1) % 2 + 1}" = { node_selector = null, replicas = null } })
  }
  clients = { for name, cluster in var.clusters : name => coalesce(cluster.clients, { sleep = { node_selector = null } }) }

  every_client  = distinct(flatten([for clients in values(local.clients) : keys(clients)]))
  every_version = distinct(flatten([for versions in values(local.versions) : keys(versions)]))

  services = concat(
    [{ name = var.name, port = 5000 }],
    [for client in local.every_client : { name = client, port = 80 }],
  )
}

resource "kubernetes_namespace" "this" {
  for_each = var.clusters
  cluster  = each.value.cluster
  name     = var.namespace
  labels   = var.revision == null ? { "istio-injection" = "enabled" } : { "istio.io/rev" = var.revision }
}

resource "kubernetes_manifests" "services" {
  for_each  = var.clusters
  cluster   = each.value.cluster
  namespace = kubernetes_namespace.this[each.key].name

  objects = concat(
    [for service in local.services : {
      apiVersion = "v1"
      kind       = "Service"
      metadata   = { name = service.name, labels = { app = service.name, service = service.name } }
      spec       = { selector = { app = service.name }, ports = [{ name = "http", port = service.port }] }
    }],
    [for client in local.every_client : { apiVersion = "v1", kind = "ServiceAccount", metadata = { name = client } }],
  )
}

resource "kubernetes_manifests" "versions" {
  for_each  = var.clusters
  cluster   = each.value.cluster
  namespace = kubernetes_namespace.this[each.key].name

  objects = [for version, pods in local.versions[each.key] : {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "${var.name}-${version}", labels = { app = var.name, version = version } }
    spec = {
      replicas = coalesce(pods.replicas, 1)
      selector = { matchLabels = { app = var.name, version = version } }
      template = {
        metadata = { labels = { app = var.name, version = version } }
        spec = merge(pods.node_selector == null ? {} : { nodeSelector = pods.node_selector }, {
          containers = [{
            name            = "helloworld"
            image           = var.image
            imagePullPolicy = "IfNotPresent"
            env             = [{ name = "SERVICE_VERSION", value = version }]
            resources       = { requests = { cpu = "100m" } }
            ports           = [{ containerPort = 5000 }]
          }]
        })
      }
    }
  }]

  depends_on = [kubernetes_manifests.services[each.key]]
}

resource "kubernetes_manifests" "clients" {
  for_each  = var.clusters
  cluster   = each.value.cluster
  namespace = kubernetes_namespace.this[each.key].name

  objects = [for client, pods in local.clients[each.key] : {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = client, labels = { app = client } }
    spec = {
      replicas = 1
      selector = { matchLabels = { app = client } }
      template = {
        metadata = { labels = { app = client } }
        spec = merge(pods.node_selector == null ? {} : { nodeSelector = pods.node_selector }, {
          serviceAccountName            = client
          terminationGracePeriodSeconds = 0
          containers = [{
            name            = "sleep"
            image           = var.client_image
            imagePullPolicy = "IfNotPresent"
            command         = ["/bin/sleep", "3650d"]
          }]
        })
      }
    }
  }]

  depends_on = [kubernetes_manifests.services[each.key]]
}

# A client that gets an answer proves sidecars, routes and, behind them, gateways: all of them ask.
check "answered" {
  data "pod_exec" "clients" {
    clusters       = { for name, cluster in var.clusters : name => cluster.cluster }
    namespace      = var.namespace
    label_selector = "app in (${join(", ", local.every_client)})"
    container      = "sleep"
    command        = ["curl", "-sS", "--max-time", "5", "http://${var.name}.${var.namespace}:5000/hello"]
    repeat         = var.every_version ? 40 : 1
    pattern        = "^Hello version: ([^,]+),"
    depends_on     = [kubernetes_manifests.versions, kubernetes_manifests.clients]
  }

  assert {
    condition = alltrue(flatten([
      for runs in values(data.pod_exec.clients.runs) : [for run in runs : startswith(run.stdout, "Hello version: ")]
    ]))
    error_message = join("; ", distinct(flatten([
      for name, runs in data.pod_exec.clients.runs : [
        for run in runs : "${name}: ${run.pod} got ${jsonencode(coalesce(trimspace(run.stdout), trimspace(run.stderr), "nothing"))}"
        if !startswith(run.stdout, "Hello version: ")
      ]
    ])))
  }

  assert {
    condition = !var.every_version || alltrue(flatten([
      for counts in values(data.pod_exec.clients.counts) : [for version in local.every_version : contains(keys(counts), version)]
    ]))
    error_message = join("; ", [
      for name, counts in data.pod_exec.clients.counts : "${name}: no answer of ${join(", ", sort(setsubtract(local.every_version, keys(counts))))}"
      if length(setsubtract(local.every_version, keys(counts))) > 0
    ])
  }
}
