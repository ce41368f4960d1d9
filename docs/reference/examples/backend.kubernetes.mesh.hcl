meshplan {
  backend "kubernetes" {
    context   = "ops"
    namespace = "mesh"
    name      = "prod"
  }
}

resource "meshplan_data" "motd" {
  input = "hello"
}
