# shellcheck shell=bash disable=SC2154,SC2164
# Builds Go from source and proves it: the module golang.org/toolchain holds the sources and the official binaries of
# one release, and its programs must come out of our build, which starts from an older release, byte for byte the same.
# So nothing prebuilt is kept, and the compiler that makes every Go service is the one that the Go project releases.
# The result is GOROOT=/host/lib/go with links in /host/bin; the go command finds its GOROOT through the link.
# The C compiler of the build machine must be in reach: without one, or with CGO_ENABLED=0, the programs differ.

unzip_module() { # zip, folder: a module's zip has one long leading folder and no modes
    python3 -m zipfile -e "$1" "$2.zip"
    mv "$2.zip/golang.org/"toolchain@* "$2"
    rm -r "$2.zip"
    chmod 755 "$2"/bin/* "$2"/pkg/tool/*/*
}

# Any Go from 1.24.6 on can compile this one. Where no older module is served the release itself has to.
official=/build/official
bootstrap=/build/bootstrap
[ "$recipe_go_bootstrap" != "$VERSION" ] || bootstrap=$official

step_unpack() {
    unzip_module "/src/toolchain-v0.0.1-go$VERSION.$recipe_go_platform.zip" "$official"
    [ "$bootstrap" = "$official" ] ||
        unzip_module "/src/toolchain-v0.0.1-go$recipe_go_bootstrap.$recipe_go_platform.zip" "$bootstrap"
    cp -r "$official/." "$srcdir"
    cd "$srcdir"
    rm -r bin pkg/tool
    # A module cannot hold the go.mod of another one: they are in the zip as _go.mod.
    find . -name _go.mod -execdir mv {} go.mod \;
    chmod 755 src/*.bash
    apply_patches
}

step_build() {
    take_jobs
    # What makes the official binaries is the default of everything: only say where the bootstrap is and where to write.
    (cd src && GOROOT_BOOTSTRAP=$bootstrap GOTOOLCHAIN=local GOPROXY=off GOENV=off GOCACHE=/build/cache \
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
