# What each zone of region2 sends where, in shares that may be as far off as chance explains.

variables {
  scenario = "CC3"
}

run "shares_by_origin" {
  data "kubernetes_object" "rule" {
    cluster     = local.cluster["cluster2"]
    api_version = "networking.istio.io/v1beta1"
    kind        = "DestinationRule"
    namespace   = "sample"
    name        = "helloworld2-loc2"
  }

  data "pod_exec" "zone1" {
    clusters        = { cluster2 = local.cluster["cluster2"] }
    namespace       = "sample"
    name            = "sleepz1"
    container       = "sleep"
    command         = ["curl", "-sS", "--max-time", "5", "http://helloworld2.sample:5000/hello"]
    repeat          = 60
    pattern         = "version: (c[0-9]+)z"
    expected_shares = { c1 = 0.5, c3 = 0.5 }
  }

  data "pod_exec" "zone2" {
    clusters        = { cluster2 = local.cluster["cluster2"] }
    namespace       = "sample"
    name            = "sleepz2"
    container       = "sleep"
    command         = ["curl", "-sS", "--max-time", "5", "http://helloworld2.sample:5000/hello"]
    repeat          = 60
    pattern         = "version: (c2z[0-9]+|c[13])"
    expected_shares = { c2z1 = 0.4, c2z3 = 0.4, c3 = 0.2 }
  }

  data "pod_exec" "zone3" {
    clusters        = { cluster2 = local.cluster["cluster2"] }
    namespace       = "sample"
    name            = "sleepz3"
    container       = "sleep"
    command         = ["curl", "-sS", "--max-time", "5", "http://helloworld2.sample:5000/hello"]
    repeat          = 20
    pattern         = "version: (\\w+),"
    expected_shares = { c2z5 = 1 }
  }

  retry_until {
    condition = length(concat(data.pod_exec.zone1.unexpected, data.pod_exec.zone2.unexpected, data.pod_exec.zone3.unexpected)) == 0
    timeout   = "2m"
    interval  = "5s"
  }

  assert {
    condition     = length(data.kubernetes_object.rule.object.spec.trafficPolicy.loadBalancer.localityLbSetting.distribute) == 3
    error_message = "there is a rule for each of the three zones"
  }

  assert {
    condition     = length(data.pod_exec.zone1.unexpected) == 0
    error_message = "from zone1: ${join("; ", data.pod_exec.zone1.unexpected)}"
  }

  assert {
    condition     = length(data.pod_exec.zone2.unexpected) == 0
    error_message = "from zone2: ${join("; ", data.pod_exec.zone2.unexpected)}"
  }

  assert {
    condition     = length(data.pod_exec.zone3.unexpected) == 0
    error_message = "from zone3: ${join("; ", data.pod_exec.zone3.unexpected)}"
  }
}
