#!/bin/sh
# Wall seconds, processor seconds and peak memory of the whole binary over trees of `meshplan_data`: plan, apply, no-op plan, destroy; and, where `terraform` is
# installed, of the same shape with `terraform_data` beside it in the same run, with ratios.
#
#   tests/benches/tree.sh [--size N]... [--terraform-apply-10000] [--no-terraform] [BINARY]
#
# Sizes are 1000, 10000 and 100000 unless given. BINARY is target/release/meshplan unless given. Needs GNU time as `/usr/bin/time`.
# Terraform plans sizes up to 10000 and applies up to 1000; `--terraform-apply-10000` applies 10000 too, which takes more than half an hour.
set -eu

sizes= terraform=yes applies=1000
binary=$(dirname "$0")/../../target/release/meshplan
while [ $# -gt 0 ]; do
    case $1 in
        --size) sizes="$sizes $2"; shift ;;
        --terraform-apply-10000) applies=10000 ;;
        --no-terraform) terraform=no ;;
        -*) echo "unknown option: $1" >&2; exit 2 ;;
        *) binary=$1 ;;
    esac
    shift
done
sizes=${sizes:-1000 10000 100000}
binary=$(realpath "$binary")
command -v terraform >/dev/null || terraform=no

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TF_CLI_CONFIG_FILE=/dev/null CHECKPOINT_DISABLE=1

# Resource n keeps the id of resource (n - 1) / 2.
tree() { # kind size
    awk -v kind="$1" -v size="$2" 'BEGIN {
        print "resource \"" kind "\" \"n0\" {\n  input = \"root\"\n}"
        for (n = 1; n < size; n++)
            print "\nresource \"" kind "\" \"n" n "\" {\n  input = " kind ".n" int((n - 1) / 2) ".id\n}"
    }'
}

# Runs a command in a directory and leaves "wall KiB user system" in $measured.
measure() { # directory command...
    directory=$1
    shift
    if ! (cd "$directory" && exec /usr/bin/time -f '%e %M %U %S' -o "$work/time" "$@" >"$work/out" 2>&1 </dev/null); then
        tail -n 20 "$work/out" >&2
        echo "failed: $*" >&2
        exit 1
    fi
    measured=$(tail -n 1 "$work/time")
}

row() { # tool what size
    set -- "$1" "$2" "$3" $measured
    awk -v tool="$1" -v what="$2" -v size="$3" -v wall="$4" -v peak="$5" -v user="$6" -v system_="$7" \
        'BEGIN { printf "%-10s %-11s %7d  %8.2f s wall  %8.2f s cpu  %8.1f MB\n", tool, what, size, wall, user + system_, peak / 1024 }'
}

ratio() { # what size ours theirs
    awk -v what="$1" -v size="$2" -v ours="$3" -v theirs="$4" 'BEGIN {
        split(ours, a, " "); split(theirs, b, " ")
        wall = a[1] > 0 ? a[1] : 0.01; cpu = a[3] + a[4] > 0 ? a[3] + a[4] : 0.01
        printf "%-10s %-11s %7d  %8.0f times    %8.0f times   %8.2f of it\n", "ratio", what, size, b[1] / wall, (b[3] + b[4]) / cpu, a[2] / b[2]
    }'
}

for size in $sizes; do
    ours=$work/meshplan-$size
    mkdir "$ours"
    tree meshplan_data "$size" >"$ours/main.mesh.hcl"
    measure "$ours" "$binary" plan; plan=$measured; row meshplan plan "$size"
    measure "$ours" "$binary" apply --auto-approve; apply=$measured; row meshplan apply "$size"
    measure "$ours" "$binary" plan --detailed-exitcode; row meshplan 'no-op plan' "$size"
    measure "$ours" "$binary" destroy --auto-approve; row meshplan destroy "$size"
    if [ "$terraform" = yes ] && [ "$size" -le 10000 ]; then
        theirs=$work/terraform-$size
        mkdir "$theirs"
        tree terraform_data "$size" >"$theirs/main.tf"
        measure "$theirs" terraform init -input=false
        measure "$theirs" terraform plan -input=false; row terraform plan "$size"
        ratio plan "$size" "$plan" "$measured"
        if [ "$size" -le "$applies" ]; then
            measure "$theirs" terraform apply -input=false -auto-approve; row terraform apply "$size"
            ratio apply "$size" "$apply" "$measured"
        fi
        rm -r "$theirs"
    fi
    rm -r "$ours"
done
