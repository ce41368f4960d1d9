# Every control plane of the mesh has read every cluster of it.
resource "sandbox_cluster" "this" {
  for_each = toset(["c1", "c2"])
  name     = each.key
}

check "clusters_synced" {
  data "istio_remote_clusters" "mesh" {
    clusters = sandbox_cluster.this
  }

  assert {
    condition     = length(data.istio_remote_clusters.mesh.unsynced) == 0
    error_message = join("; ", data.istio_remote_clusters.mesh.unsynced)
  }
}
