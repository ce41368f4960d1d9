#!/usr/bin/env bash
# Makes a directory with what tests of kind clusters need, and prints its path: `kind` of the version that kind/go.mod pins, and
# `node.tar`, the root of a node of which the control plane is real and nothing else (see kind/node): such as `docker import` takes. The same
# root stands in for what kind puts before several control planes, under the name that `balancer` holds.
#
#   kind.sh          makes what is missing (assets.sh first, if need be; then less than a minute), prints the directory
#   kind.sh --made   makes nothing: prints the directory if it is whole, else ends with 1 and says why
#
# The directory lies beside that of assets.sh, of whose programs nodes are made; there is another for each state of what it is made of,
# and each may be deleted at any time. Needs Go, busybox (a static one) and openssl.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

stand_in=$here/../src/apiserver/stand_in
programs=(etcd kube-apiserver kube-controller-manager kube-scheduler kubectl kwok)
assets=$(bash "$here/assets.sh" "$@")
version=$(sed -nE 's/^(require )?\s*k8s\.io\/kubernetes (v[0-9.]+)( .*)?$/\2/p' "$here/assets/go.mod")
for program in busybox openssl tar; do command -v $program >/dev/null || fail "needs \`$program\`"; done
stamp=$({
    echo "$assets"
    cat "$here"/kind/go.{mod,sum} "$here"/kind/node/* "$here"/kind/balance/* "$stand_in/stages.yaml" "$stand_in/../controllers.txt" "$here/common.sh" "${BASH_SOURCE[0]}" "$(command -v busybox)" "$(command -v openssl)"
} | sha256sum | cut -d' ' -f1)
directory=$cache/kind-${stamp:0:12}

# with_libraries ROOT PROGRAM: a program with what it is linked to, at the same places in a root.
with_libraries() {
    local file
    install -D -m 755 "$2" "$1/usr/bin/$(basename "$2")"
    ldd "$2" | grep -oE '/[^ ]+' | while read -r file; do install -D -m 755 "$file" "$1$file"; done
}

# node ROOT: what is in a node, without the programs of the control plane.
node() {
    local root=$1 name
    mkdir -p "$root"/{bin,dev,home/envoy,kind/manifests,lib/modules,proc,root,run,sys,tmp,usr/bin,usr/local/bin,var/log,etc/containerd,etc/kubernetes/pki/etcd}
    install -m 755 "$(command -v busybox)" "$root/bin/busybox"
    "$root/bin/busybox" --list | grep -vx busybox | while read -r name; do ln -s busybox "$root/bin/$name"; done
    with_libraries "$root" "$(command -v openssl)"
    install -m 755 "$here"/kind/node/{entrypoint,issue,kubeadm,node} "$root/usr/local/bin/"
    install -m 644 "$here"/kind/node/*.yaml "$root/kind/manifests/"
    install -m 644 "$here/kind/node/openssl.cnf" "$root/etc/"
    install -m 644 "$stand_in/stages.yaml" "$root/kind/stages.yaml"
    paste -sd, "$stand_in/../controllers.txt" >"$root/kind/controllers"
    printf '%s' "$version" >"$root/kind/version"
    printf 'version = 2\n' >"$root/etc/containerd/config.toml"
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    # Nothing here is a service.
    printf '#!/bin/sh\n' >"$root/usr/local/bin/systemctl"
    printf '#!/bin/sh\nexec /bin/sh "$@"\n' >"$root/usr/local/bin/bash"
    chmod 755 "$root/usr/local/bin/systemctl" "$root/usr/local/bin/bash"
}

fill() {
    local program source
    find_go kind
    echo "$this: building kind and the root of a node" >&2
    build kind "$1/kind" sigs.k8s.io/kind
    source=$(cd "$here/kind" && "$go" list -m -f '{{.Dir}}' sigs.k8s.io/kind)
    sed -n 's/^const Image = "\(.*\)"$/\1/p' "$source/pkg/cluster/internal/loadbalancer/const.go" >"$1/balancer"
    [ -s "$1/balancer" ] || fail "finds no image that kind balances with"
    node "$1/node"
    build kind "$1/node/usr/local/bin/envoy" ./balance
    # Links to the programs, which the archive holds whole.
    for program in "${programs[@]}"; do
        [ -x "$assets/$program" ] || fail "needs \`$program\` in $assets"
        cp -lL "$assets/$program" "$1/node/usr/bin/" 2>/dev/null || cp -L "$assets/$program" "$1/node/usr/bin/"
    done
    tar -C "$1/node" --sort=name --owner=0 --group=0 --numeric-owner -cf "$1/node.tar" .
    rm -rf "$1/node"
}

give "$directory" node.tar "$@"
make_once kind "$directory" node.tar fill
