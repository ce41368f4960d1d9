# region4 fails zone by zone, and region3 takes over once none is left.

run "region4_answers_too" {
  data "pod_exec" "asked" {
    clusters  = { cluster1 = local.cluster["cluster1"] }
    namespace = "sample"
    name      = "sleepz3"
    container = "sleep"
    command   = ["curl", "-sS", "--max-time", "5", "http://helloworld2.sample:5000/hello"]
    repeat    = 100
    pattern   = "version: (\\w+),"
  }

  retry_until {
    condition = length(setintersection(keys(data.pod_exec.asked.counts.cluster1), ["c2z4", "c2z5"])) > 0
    timeout   = "2m"
    interval  = "5s"
  }

  assert {
    condition     = length(setintersection(keys(data.pod_exec.asked.counts.cluster1), ["c2z4", "c2z5"])) > 0
    error_message = "answers came from ${jsonencode(data.pod_exec.asked.counts.cluster1)}"
  }
}

run "own_zone_answers" {
  variables {
    scenario = "CC4"
  }

  data "kubernetes_object" "rule" {
    cluster     = local.cluster["cluster2"]
    api_version = "networking.istio.io/v1beta1"
    kind        = "DestinationRule"
    namespace   = "sample"
    name        = "helloworld2-loc-failover"
  }

  data "pod_exec" "asked" {
    clusters        = { cluster2 = local.cluster["cluster2"] }
    namespace       = "sample"
    name            = "sleepz4"
    container       = "sleep"
    command         = ["curl", "-sS", "--max-time", "5", "http://helloworld2.sample:5000/hello"]
    repeat          = 20
    pattern         = "version: (\\w+),"
    expected_shares = { c2z4 = 1 }
  }

  retry_until {
    condition = length(data.pod_exec.asked.unexpected) == 0
    timeout   = "2m"
    interval  = "5s"
  }

  assert {
    condition     = data.kubernetes_object.rule.object.spec.trafficPolicy.loadBalancer.localityLbSetting.failover[0].to == "region3"
    error_message = "region4 fails over to region3"
  }

  assert {
    condition     = length(data.pod_exec.asked.unexpected) == 0
    error_message = join("; ", data.pod_exec.asked.unexpected)
  }
}

run "own_region_answers" {
  variables {
    scenario = "CC4"
    drained  = ["c2z4"]
  }

  data "pod_exec" "asked" {
    clusters        = { cluster2 = local.cluster["cluster2"] }
    namespace       = "sample"
    name            = "sleepz4"
    container       = "sleep"
    command         = ["curl", "-sS", "--max-time", "5", "http://helloworld2.sample:5000/hello"]
    repeat          = 20
    pattern         = "version: (\\w+),"
    expected_shares = { c2z5 = 1 }
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

run "region3_answers" {
  variables {
    scenario = "CC4"
    drained  = ["c2z4", "c2z5"]
  }

  data "pod_exec" "asked" {
    clusters        = { cluster2 = local.cluster["cluster2"] }
    namespace       = "sample"
    name            = "sleepz4"
    container       = "sleep"
    command         = ["curl", "-sS", "--max-time", "5", "http://helloworld2.sample:5000/hello"]
    repeat          = 20
    pattern         = "version: (c3|\\w+)"
    expected_shares = { c3 = 1 }
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

run "own_zone_answers_again" {
  variables {
    scenario = "CC4"
  }

  data "pod_exec" "asked" {
    clusters        = { cluster2 = local.cluster["cluster2"] }
    namespace       = "sample"
    name            = "sleepz4"
    container       = "sleep"
    command         = ["curl", "-sS", "--max-time", "5", "http://helloworld2.sample:5000/hello"]
    repeat          = 20
    pattern         = "version: (\\w+),"
    expected_shares = { c2z4 = 1 }
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
