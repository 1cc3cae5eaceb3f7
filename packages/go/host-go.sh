# shellcheck shell=bash disable=SC2154,SC2164
# Builds Go from source, by itself, and proves it: the module golang.org/toolchain holds the sources and the official programs
# of one release, and what those programs make of those sources must be the same programs, byte for byte. So nothing
# prebuilt is kept, and the compiler that makes every Go service is the one that the Go project releases.
# The result is GOROOT=/host/lib/go with links in /host/bin; the go command finds its GOROOT through the link.
# The C compiler of the build machine must be in reach: without one, or with CGO_ENABLED=0, the programs differ.

official=/build/official

step_unpack() {
    # A module's zip has one long leading folder and no modes.
    python3 -m zipfile -e /src/*.zip /build/zip
    mv /build/zip/golang.org/toolchain@* "$official"
    chmod 755 "$official"/bin/* "$official"/pkg/tool/*/*
    cp -r "$official/." "$srcdir"
    cd "$srcdir"
    rm -r /build/zip bin pkg/tool
    # A module cannot hold the go.mod of another one: they are in the zip as _go.mod.
    find . -name _go.mod -execdir mv {} go.mod \;
    chmod 755 src/*.bash
    apply_patches
}

step_build() {
    take_jobs
    # What makes the official binaries is the default of everything: only say what compiles and where to write.
    (cd src && GOROOT_BOOTSTRAP=$official GOTOOLCHAIN=local GOPROXY=off GOENV=off GOCACHE=/build/cache \
        GOMAXPROCS=$JOBS bash make.bash)

    local differing=0 file
    for file in $(cd "$official" && find bin pkg/tool -type f | sort); do
        if cmp -s "$official/$file" "$file"; then
            echo "same as the official release: $file"
        else
            echo "host-go: $file is not what the Go project released" >&2
            differing=1
        fi
    done
    return "$differing"
}

step_install() {
    # Kept: what compiles programs. The sources of the tools, tests and test data are a third of the tree.
    rm -rf api doc misc test src/cmd pkg/obj pkg/bootstrap .github
    find . -type d -name testdata -prune -exec rm -r {} +
    find . -name '*_test.go' -delete
    mkdir -p /out/host/lib /out/host/bin
    cp -r . /out/host/lib/go
    ln -s ../lib/go/bin/go ../lib/go/bin/gofmt /out/host/bin/
}
