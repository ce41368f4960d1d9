# A host without an address gets one that only its proxies know.

variables {
  scenario = "DNSP1"
}

run "address_is_allocated" {
  data "kubernetes_object" "rule" {
    cluster     = local.cluster["cluster1"]
    api_version = "networking.istio.io/v1beta1"
    kind        = "ServiceEntry"
    namespace   = "sample"
    name        = "istio-io"
  }

  # Which address curl connected to; what answers behind it is not asked.
  data "pod_exec" "asked" {
    clusters  = { cluster1 = local.cluster["cluster1"] }
    namespace = "sample"
    name      = "sleepz2"
    container = "sleep"
    command   = ["curl", "-s", "-o", "/dev/null", "--max-time", "10", "-w", "%%{remote_ip}", "https://istio.io"]
  }

  retry_until {
    condition = startswith(data.pod_exec.asked.runs.cluster1[0].stdout, "240.240.")
    timeout   = "2m"
    interval  = "5s"
  }

  assert {
    condition     = data.kubernetes_object.rule.object.spec.resolution == "DNS"
    error_message = "the host is resolved by name"
  }

  assert {
    condition     = startswith(data.pod_exec.asked.runs.cluster1[0].stdout, "240.240.")
    error_message = "curl connected to \"${data.pod_exec.asked.runs.cluster1[0].stdout}\""
  }
}
