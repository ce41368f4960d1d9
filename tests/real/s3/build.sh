#!/usr/bin/env bash
# Makes the S3 server that go.mod pins, and prints its path.
#
#   build.sh          builds it if it is missing (two minutes on two cores from cold)
#   build.sh --made   builds nothing: prints the path if it is there, else ends with 1
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
stamp=$(cat "$here"/go.{mod,sum} "${BASH_SOURCE[0]}" | sha256sum | cut -c1-12)
program=${XDG_CACHE_HOME:-$HOME/.cache}/meshplan/versitygw-$stamp
if ! [ -x "$program" ]; then
    [ "${1:-}" != --made ] || { echo "tests/real/s3/build.sh: not built yet, or of another version" >&2 && exit 1; }
    go=$(command -v go || echo /usr/local/go/bin/go)
    mkdir -p "$(dirname "$program")"
    (cd "$here" && CGO_ENABLED=0 GOFLAGS=-mod=mod "$go" build -trimpath -buildvcs=false -ldflags "-s -w" -o "$program.$$" \
        github.com/versity/versitygw/cmd/versitygw) >&2
    mv "$program.$$" "$program"
fi
echo "$program"
