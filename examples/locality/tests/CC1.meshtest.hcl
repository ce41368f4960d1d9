# A client in one cluster is answered by pods of all three.

run "answered_by_all_clusters" {
  data "pod_exec" "asked" {
    clusters  = { cluster1 = local.cluster["cluster1"] }
    namespace = "sample"
    name      = "sleepz2"
    container = "sleep"
    command   = ["curl", "-sS", "--max-time", "5", "http://helloworld2.sample:5000/hello"]
    repeat    = 50
    pattern   = "version: (c[0-9]+)z"
  }

  retry_until {
    condition = keys(data.pod_exec.asked.counts.cluster1) == tolist(["c1", "c2", "c3"]) && sum(values(data.pod_exec.asked.counts.cluster1)) == 50
    timeout   = "2m"
    interval  = "5s"
  }

  assert {
    condition     = keys(data.pod_exec.asked.counts.cluster1) == tolist(["c1", "c2", "c3"]) && sum(values(data.pod_exec.asked.counts.cluster1)) == 50
    error_message = "answers came from ${jsonencode(data.pod_exec.asked.counts.cluster1)}"
  }
}
