resource "meshplan_data" "release" {
  input            = { version = "1.23.6", channel = "stable" }
  triggers_replace = "spring"
}

output "version" {
  value = meshplan_data.release.output.version
}
