#!/bin/bash
# What every build does, inside the sandbox: unpack, patch, configure, build, install, tidy.
#
# usage: common.sh all|unpack|build
# The build system's script (scripts/build/<build>.sh), or the package's own, defines step_configure, step_build and
# step_install, and may redefine step_unpack. Each runs in the source folder, /build/$recipe_srcdir.
set -euo pipefail
umask 022

build=$PWD # /build, except for host-bubblewrap, which is built before there is a sandbox
recipe=$build/recipe
srcdir=$build/${recipe_srcdir:-src}
SRC=${SRC:-/src}
taken= # job slots that take_jobs holds
# Tools without a job server run one job, unless the build script calls take_jobs.
JOBS=1
export JOBS

if [ "${TARGET-}" ] && [[ $NAME != cross-* ]]; then
    export CC=$TARGET-gcc CXX=$TARGET-g++ AR=$TARGET-ar RANLIB=$TARGET-ranlib STRIP=$TARGET-strip LD=$TARGET-ld
    export NM=$TARGET-nm OBJCOPY=$TARGET-objcopy READELF=$TARGET-readelf
    export CFLAGS="-O2 -pipe -fstack-protector-strong -fstack-clash-protection -ffunction-sections -fdata-sections -ffile-prefix-map=$build=."
    export CXXFLAGS=$CFLAGS
    export LDFLAGS="-static-pie -Wl,-z,relro,-z,now -Wl,--gc-sections"
    export PKG_CONFIG_SYSROOT_DIR=/sysroot PKG_CONFIG_LIBDIR=/sysroot/usr/lib/pkgconfig:/sysroot/usr/share/pkgconfig
fi

# Adds the job slots that nobody is using to our own one, for tools that cannot ask Make's job server themselves. They go
# back when the build ends.
take_jobs() {
    local read_from write_to token
    if [[ $MAKEFLAGS =~ --jobserver-auth=fifo:([^ ]+) ]]; then
        exec {read_from}<>"${BASH_REMATCH[1]}"
        write_to=$read_from
    elif [[ $MAKEFLAGS =~ --jobserver-auth=([0-9]+),([0-9]+) ]]; then
        read_from=${BASH_REMATCH[1]} write_to=${BASH_REMATCH[2]}
    else
        return 0
    fi
    while IFS= read -r -N1 -t 0.05 -u "$read_from" token; do taken+=$token; JOBS=$((JOBS + 1)); done
    # shellcheck disable=SC2064 # the values of now are meant
    trap "printf %s '$taken' >&$write_to" EXIT
}

# unpack FILE FOLDER [tar arguments]: unpacks an archive without its leading folder.
unpack() {
    mkdir -p "$2"
    tar -xf "$SRC/$1" -C "$2" --strip-components=1 --no-same-owner "${@:3}"
}

apply_patches() {
    local patch
    for patch in "$recipe"/*.patch; do
        [ -e "$patch" ] || continue
        patch -p1 --no-backup-if-mismatch <"$patch" || { echo "${patch##*/} does not apply to $NAME $VERSION"; return 1; }
    done
}

step_unpack() {
    local sources=("$SRC"/*)
    [ ! -e "${sources[0]}" ] || unpack "${sources[0]##*/}" "$srcdir"
    cd "$srcdir"
    apply_patches
}
step_configure() { :; }
step_build() { :; }
step_install() { :; }

# Nothing that only a person at a keyboard or a shared library's user would want.
step_tidy() {
    rm -rf /out/usr/share/{man,doc,info,locale} /out/host/share/{man,doc,info,locale}
    find /out -name '*.la' -delete
    [ "${STRIP-}" ] && command -v "$STRIP" >/dev/null || return 0
    local file
    while IFS= read -r -d '' file; do
        case $(head -c 4 "$file" | tr -d '\0') in
        $'\x7fELF') "$STRIP" "$file" ;;
        esac
    done < <(find /out -type f -perm -100 -print0)
}

system=$recipe/${recipe_build:?}.sh
[ "$recipe_build" != own ] || system=$recipe/$NAME.sh
# shellcheck source=/dev/null
. "$system"
[ "$NAME" != host-bubblewrap ] || step_tidy() { :; }

run() { for step; do echo "== $step"; mkdir -p "$srcdir"; [ "$step" = unpack ] || cd "$srcdir"; "step_$step"; done; }
case $1 in
all) run unpack configure build install tidy ;;
unpack) run unpack ;;
build) run configure build install tidy ;;
esac
