# A cluster that answers slowly.
provider "metallb" {
  request_timeout  = "2m"
  requests_at_once = 2
}
