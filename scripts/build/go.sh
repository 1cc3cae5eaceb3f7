# shellcheck shell=bash disable=SC2154,SC2164
# Go programs of the target, from a tarball with everything vendored (scripts/fetch-go-vendor). Each becomes one static PIE:
# Go alone can make a PIE only for a dynamic loader, which the image does not have, so the C compiler does the last link
# and musl's start code relocates the program. That needs runtime/cgo, and so cgo is on for all of them.
#
# Recipe fields: go-packages  what to build: ./cmd/x becomes /usr/bin/x, . the package's name; ./cmd/x=y becomes y
#                tags         build tags; netgo and osusergo are always there
#                go-ldflags   for the Go linker, mostly -X path.Variable=value
#                files        packages/x/files is a tree that is installed as it is (default configuration)

step_build() {
    take_jobs
    export GOTOOLCHAIN=local GOPROXY=off GOENV=off GOWORK=off
    export GOCACHE=$build/cache GOPATH=$build/gopath GOTMPDIR=$build GOMAXPROCS=$JOBS
    export GOOS=linux GOARCH=$TARGET_GOARCH CGO_ENABLED=1 CGO_CFLAGS=$CFLAGS CGO_CXXFLAGS=$CXXFLAGS
    # Packed, the relocations of a PIE take 0.2 MB in Nomad, else 11. Not --gc-sections: nothing refers to the section that
    # says which modules are in the program.
    local linker="-s -w -buildid= -B none -linkmode external -extldflags '-static-pie -Wl,-z,relro,-z,now,-z,pack-relative-relocs'"
    local package program
    mkdir -p "$build/bin"
    for package in $recipe_go_packages; do
        program=${package##*[/=]}
        [ "$program" != . ] || program=$NAME
        go build -p "$JOBS" -mod=vendor -trimpath -buildvcs=false -buildmode=pie -tags "netgo osusergo ${recipe_tags-}" \
            -ldflags "$linker ${recipe_go_ldflags-}" -o "$build/bin/$program" "${package%=*}"
    done
}

step_install() {
    mkdir -p /out/usr/bin
    cp "$build"/bin/* /out/usr/bin/
    local tree
    for tree in "$build"/files/packages/*/files; do
        [ ! -d "$tree" ] || cp -r "$tree/." /out/
    done
}
