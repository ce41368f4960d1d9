#!/bin/sh
# Instructions of the whole binary over a tree of `meshplan_data`: plan, apply, no-op plan, destroy. They are the same however busy the machine is, and so tell
# versions apart where seconds do not.
#
#   tests/benches/instructions.sh [--size N] [BINARY]...
#
# The size is 1000 unless given. Each BINARY, target/release/meshplan unless any is given, has a line of its own. Needs `valgrind`, which takes some fifty times as
# long as the binary alone. It has no SHA instructions: what is hashed costs more here than on most processors.
set -eu

size=1000
while [ $# -gt 0 ]; do
    case $1 in
        --size) size=$2; shift ;;
        -*) echo "unknown option: $1" >&2; exit 2 ;;
        *) break ;;
    esac
    shift
done
[ $# -gt 0 ] || set -- "$(dirname "$0")/../../target/release/meshplan"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Resource n keeps the id of resource (n - 1) / 2.
tree() { # size
    awk -v size="$1" 'BEGIN {
        print "resource \"meshplan_data\" \"n0\" {\n  input = \"root\"\n}"
        for (n = 1; n < size; n++)
            print "\nresource \"meshplan_data\" \"n" n "\" {\n  input = meshplan_data.n" int((n - 1) / 2) ".id\n}"
    }'
}

# Millions of instructions of a command in a directory.
count() { # directory command...
    directory=$1
    shift
    (cd "$directory" && valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" >"$work/out" 2>"$work/err" </dev/null) || {
        tail -n 20 "$work/out" "$work/err" >&2
        exit 1
    }
    awk '/Collected/ { printf "%.1f", $4 / 1000000 }' "$work/err"
}

echo "millions of instructions, $size resources"
nth=0
for binary in "$@"; do
    binary=$(realpath "$binary")
    directory=$work/$nth
    nth=$((nth + 1))
    mkdir "$directory"
    tree "$size" >"$directory/main.mesh.hcl"
    plan=$(count "$directory" "$binary" plan)
    apply=$(count "$directory" "$binary" apply --auto-approve)
    same=$(count "$directory" "$binary" plan)
    destroy=$(count "$directory" "$binary" destroy --auto-approve)
    echo "$binary: plan $plan, apply $apply, no-op plan $same, destroy $destroy"
done
