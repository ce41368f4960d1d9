# Requests stay in the client's zone; where that fails, in its cluster. The client and the zone that fails are c1z2's.

run "all_zones_answer" {
  data "pod_exec" "asked" {
    clusters  = { cluster1 = local.cluster["cluster1"] }
    namespace = "sample"
    name      = "sleepz2"
    container = "sleep"
    command   = ["curl", "-sS", "--max-time", "5", "http://helloworld2.sample:5000/hello"]
    repeat    = 60
    pattern   = "version: (\\w+),"
  }

  retry_until {
    condition = length(data.pod_exec.asked.counts.cluster1) > 3
    timeout   = "2m"
    interval  = "5s"
  }

  assert {
    condition     = length(data.pod_exec.asked.counts.cluster1) > 3
    error_message = "answers came from ${jsonencode(data.pod_exec.asked.counts.cluster1)}"
  }
}

run "own_zone_answers" {
  variables {
    scenario = "CC2"
  }

  data "kubernetes_object" "rule" {
    cluster     = local.cluster["cluster1"]
    api_version = "networking.istio.io/v1beta1"
    kind        = "DestinationRule"
    namespace   = "sample"
    name        = "helloworld2-loc1"
  }

  data "pod_exec" "asked" {
    clusters        = { cluster1 = local.cluster["cluster1"] }
    namespace       = "sample"
    name            = "sleepz2"
    container       = "sleep"
    command         = ["curl", "-sS", "--max-time", "5", "http://helloworld2.sample:5000/hello"]
    repeat          = 20
    pattern         = "version: (\\w+),"
    expected_shares = { c1z2 = 1 }
  }

  retry_until {
    condition = length(data.pod_exec.asked.unexpected) == 0
    timeout   = "2m"
    interval  = "5s"
  }

  assert {
    condition     = data.kubernetes_object.rule.object.spec.trafficPolicy.outlierDetection.consecutive5xxErrors == 5
    error_message = "localities count only where outlier detection looks at pods"
  }

  assert {
    condition     = length(data.pod_exec.asked.unexpected) == 0
    error_message = join("; ", data.pod_exec.asked.unexpected)
  }
}

run "other_zones_take_over" {
  variables {
    scenario = "CC2"
    drained  = ["c1z2"]
  }

  data "pod_exec" "asked" {
    clusters  = { cluster1 = local.cluster["cluster1"] }
    namespace = "sample"
    name      = "sleepz2"
    container = "sleep"
    command   = ["curl", "-sS", "--max-time", "5", "http://helloworld2.sample:5000/hello"]
    repeat    = 30
    pattern   = "version: (\\w+),"
  }

  retry_until {
    condition = keys(data.pod_exec.asked.counts.cluster1) == tolist(["c1z1", "c1z3"]) && sum(values(data.pod_exec.asked.counts.cluster1)) == 30
    timeout   = "2m"
    interval  = "5s"
  }

  assert {
    condition     = keys(data.pod_exec.asked.counts.cluster1) == tolist(["c1z1", "c1z3"]) && sum(values(data.pod_exec.asked.counts.cluster1)) == 30
    error_message = "answers came from ${jsonencode(data.pod_exec.asked.counts.cluster1)}"
  }
}

run "own_zone_answers_again" {
  variables {
    scenario = "CC2"
  }

  data "pod_exec" "asked" {
    clusters        = { cluster1 = local.cluster["cluster1"] }
    namespace       = "sample"
    name            = "sleepz2"
    container       = "sleep"
    command         = ["curl", "-sS", "--max-time", "5", "http://helloworld2.sample:5000/hello"]
    repeat          = 20
    pattern         = "version: (\\w+),"
    expected_shares = { c1z2 = 1 }
  }

  retry_until {
    condition = length(data.pod_exec.asked.unexpected) == 0
    timeout   = "2m"
    interval  = "5s"
  }

  assert {
    condition     = length(data.pod_exec.asked.unexpected) == 0
    error_message = join("; ", data.pod_exec.asked.unexpected)
  }
}
