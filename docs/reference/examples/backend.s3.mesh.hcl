meshplan {
  backend "s3" {
    bucket = "states"
    key    = "mesh/prod"
    region = "eu-west-1"
  }
}

resource "meshplan_data" "motd" {
  input = "hello"
}
