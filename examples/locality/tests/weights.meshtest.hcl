# Versions get the shares that their weights say, also where they run in another cluster.

run "half_each" {
  variables {
    weights = { c1z1 = 50, c2z1 = 50 }
  }

  data "kubernetes_object" "rule" {
    cluster     = local.cluster["cluster1"]
    api_version = "networking.istio.io/v1beta1"
    kind        = "VirtualService"
    namespace   = "sample"
    name        = "helloworld2"
  }

  data "pod_exec" "asked" {
    clusters        = { for name in keys(var.clusters) : name => local.cluster[name] }
    namespace       = "sample"
    name            = "sleepz1"
    container       = "sleep"
    command         = ["curl", "-sS", "--max-time", "5", "http://helloworld2.sample:5000/hello"]
    repeat          = 100
    pattern         = "version: (\\w+),"
    expected_shares = { for version, weight in var.weights : version => weight / 100 }
  }

  retry_until {
    condition = length(data.pod_exec.asked.unexpected) == 0
    timeout   = "2m"
    interval  = "5s"
  }

  assert {
    condition     = sum(data.kubernetes_object.rule.object.spec.http[0].route[*].weight) == 100
    error_message = "the weights are those that were given"
  }

  assert {
    condition     = length(data.pod_exec.asked.unexpected) == 0
    error_message = join("; ", data.pod_exec.asked.unexpected)
  }
}

run "one_in_ten" {
  variables {
    weights = { c1z1 = 90, c2z1 = 10 }
  }

  data "kubernetes_object" "rule" {
    cluster     = local.cluster["cluster1"]
    api_version = "networking.istio.io/v1beta1"
    kind        = "VirtualService"
    namespace   = "sample"
    name        = "helloworld2"
  }

  data "pod_exec" "asked" {
    clusters        = { for name in keys(var.clusters) : name => local.cluster[name] }
    namespace       = "sample"
    name            = "sleepz1"
    container       = "sleep"
    command         = ["curl", "-sS", "--max-time", "5", "http://helloworld2.sample:5000/hello"]
    repeat          = 100
    pattern         = "version: (\\w+),"
    expected_shares = { for version, weight in var.weights : version => weight / 100 }
  }

  retry_until {
    condition = length(data.pod_exec.asked.unexpected) == 0
    timeout   = "2m"
    interval  = "5s"
  }

  assert {
    condition     = sum(data.kubernetes_object.rule.object.spec.http[0].route[*].weight) == 100
    error_message = "the weights are those that were given"
  }

  assert {
    condition     = length(data.pod_exec.asked.unexpected) == 0
    error_message = join("; ", data.pod_exec.asked.unexpected)
  }
}
