#!/usr/bin/env bash
# Makes a directory with the real `istioctl` and `pilot-discovery`, which is istiod, of the version that istio/go.mod pins, and with `workload`
# (istio/workload), which asks an istiod what a sidecar asks it; prints its path.
#
#   istio.sh          builds them if they are missing (some six minutes on two cores from cold), prints the directory
#   istio.sh --made   builds nothing: prints the directory if it is whole, else ends with 1 and says why
#
# The directory lies in the user's cache, beside those of assets.sh; there is another for each state of the pinned version and of this
# script, and each may be deleted at any time. Needs Go.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

stamp=$(cat "$here"/istio/go.{mod,sum} "$here"/istio/workload/main.go "$here/common.sh" "${BASH_SOURCE[0]}" | sha256sum | cut -d' ' -f1)
directory=$cache/istio-${stamp:0:12}
# What `istioctl version` says: the commit, on the way to this release.
revision=$(sed -nE 's/^\s*istio\.io\/istio v[0-9.]+-[0-9]+-([0-9a-f]+)( .*)?$/\1/p' "$here/istio/go.mod")
release=1.31

give "$directory" workload "$@"
[ -n "$revision" ] || fail "istio/go.mod names no commit of Istio"

fill() {
    local version="-X istio.io/istio/pkg/version.buildVersion=$release-dev.$revision"
    find_go istio
    echo "$this: building istioctl" >&2
    build istio "$1/istioctl" istio.io/istio/istioctl/cmd/istioctl "$version"
    echo "$this: building pilot-discovery" >&2
    build istio "$1/pilot-discovery" istio.io/istio/pilot/cmd/pilot-discovery "$version"
    build istio "$1/workload" ./workload
}

make_once istio "$directory" workload fill
