# Two hosts at one TCP port are told apart by the addresses that they are given.

variables {
  scenario = "DNSP2"
}

run "listener_for_each_host" {
  data "kubernetes_objects" "entries" {
    cluster     = local.cluster["cluster1"]
    api_version = "networking.istio.io/v1beta1"
    kind        = "ServiceEntry"
    namespace   = "sample"
  }

  data "pod_exec" "listeners" {
    clusters  = { cluster1 = local.cluster["cluster1"] }
    namespace = "sample"
    name      = "sleepz2"
    container = "istio-proxy"
    command   = ["pilot-agent", "request", "GET", "listeners?format=json"]
  }

  retry_until {
    condition = length(distinct([
      for listener in jsondecode(data.pod_exec.listeners.runs.cluster1[0].stdout).listener_statuses :
      listener.local_address.socket_address.address
      if try(listener.local_address.socket_address.port_value == 3306 && startswith(listener.local_address.socket_address.address, "240.240."), false)
    ])) == 2
    timeout   = "2m"
    interval  = "5s"
  }

  assert {
    condition     = length(data.kubernetes_objects.entries.objects) == 2
    error_message = "each database has an entry"
  }

  assert {
    condition     = length(distinct([
      for listener in jsondecode(data.pod_exec.listeners.runs.cluster1[0].stdout).listener_statuses :
      listener.local_address.socket_address.address
      if try(listener.local_address.socket_address.port_value == 3306 && startswith(listener.local_address.socket_address.address, "240.240."), false)
    ])) == 2
    error_message = "there is not a listener for each of the two databases"
  }
}
