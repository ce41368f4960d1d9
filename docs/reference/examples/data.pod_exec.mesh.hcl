# Clients of both clusters get answers of both versions, each about as often.
resource "sandbox_cluster" "this" {
  for_each = toset(["c1", "c2"])
  name     = each.key
}

check "answers" {
  data "pod_exec" "hello" {
    clusters        = sandbox_cluster.this
    namespace       = "sample"
    label_selector  = "app=sleep"
    command         = ["curl", "-sS", "--max-time", "5", "http://helloworld.sample:5000/hello"]
    repeat          = 40
    pattern         = "version: (\\w+),"
    expected_shares = { v1 = 0.5, v2 = 0.5 }
  }

  assert {
    condition     = length(data.pod_exec.hello.unexpected) == 0
    error_message = join("; ", data.pod_exec.hello.unexpected)
  }
}
