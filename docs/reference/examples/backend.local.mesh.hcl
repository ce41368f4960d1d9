meshplan {
  backend "local" {
    path = "prod.state.json"
  }
}

resource "meshplan_data" "motd" {
  input = "hello"
}
