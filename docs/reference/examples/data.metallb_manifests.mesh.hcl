# A release, by the digests that meshplan knows of its files.
data "metallb_manifests" "release" {
  version = "0.16.2"
}

# The same from a copy, where there is no network.
data "metallb_manifests" "copy" {
  path = "vendor/metallb-native.yaml"
}

# A release of which meshplan knows no digests.
data "metallb_manifests" "pinned" {
  files = [{
    url    = "https://raw.githubusercontent.com/metallb/metallb/v0.15.3/config/manifests/metallb-native.yaml"
    sha256 = "84b4e102f2b65f5d69085f5816c29362b74641873d8ac3de996e5f86a8219176"
  }]
}
