#!/bin/bash
# What every build does, inside the sandbox: unpack, patch, configure, build, install, tidy.
#
# usage: common.sh STEP...        (extract: unpack without patches)
# The build system's script (scripts/build/<build>.sh), or the package's own, defines step_configure, step_build and
# step_install, and may redefine step_unpack. Each runs in the source folder, /build/$recipe_srcdir.
set -euo pipefail
umask 022

build=$PWD # /build, except for what is built before there is a sandbox
recipe=$build/recipe
unpacked=$build/src
SRC=${SRC:-/src}
srcdir=$build/${recipe_srcdir:-src}
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

# Adds the job slots that nobody is using to our own one, for tools that cannot ask Make's job server themselves. They are noted,
# and given back by build-entry when the build has ended, however it ended.
take_jobs() {
    local token
    [[ $MAKEFLAGS =~ --jobserver-auth=([0-9]+),([0-9]+) ]] || return 0
    while IFS= read -r -N1 -t 0.05 -u "${BASH_REMATCH[1]}" token; do
        printf %s "$token" >>"$build/.jobs"
        JOBS=$((JOBS + 1))
    done
}

# unpack FILE FOLDER [tar arguments]: unpacks an archive without its leading folder.
unpack() {
    mkdir -p "$2"
    tar -xf "$SRC/$1" -C "$2" --strip-components=1 --no-same-owner "${@:3}"
}

apply_patches() {
    local patch
    for patch in "$recipe"/*.patch; do
        [ -e "$patch" ] || continue # none at all
        patch -p1 --no-backup-if-mismatch <"$patch" || { echo "${patch##*/} does not apply to $NAME $VERSION"; return 1; }
    done
}

# The first source is the one that is built; a build script unpacks others itself.
step_unpack() {
    [ -z "$SOURCES" ] || unpack "${SOURCES%% *}" "$unpacked"
    cd "$unpacked"
    apply_patches
}
step_configure() { :; }
step_build() { :; }
step_install() { :; }

# Nothing that only a person at a keyboard or a shared library's user would want.
step_tidy() {
    rm -rf "$DESTDIR"/usr/share/{man,doc,info,locale} "$DESTDIR"/host/share/{man,doc,info,locale}
    find "$DESTDIR" -name '*.la' -delete
    [ "${STRIP-}" ] && command -v "$STRIP" >/dev/null || return 0
    local file
    while IFS= read -r -d '' file; do
        case $(head -c 4 "$file" | tr -d '\0') in
        $'\x7fELF') "$STRIP" "$file" ;;
        esac
    done < <(find "$DESTDIR" -type f -perm -100 -print0)
}

step_extract() {
    apply_patches() { :; }
    step_unpack
}

# What a script switches off it would switch off for all that follows: a step that fails would seem to have done its work.
strict() {
    [[ -o errexit && -o nounset && -o pipefail ]] && return
    echo "$1 switches off errexit, nounset or pipefail (set +e); where a command may fail, write: command || :"
    exit 1
}

known=$(compgen -A function step_)
system=$recipe/${recipe_build:?}.sh
[ "$recipe_build" != own ] || system=$recipe/$NAME.sh
# shellcheck source=/dev/null
. "$system"
strict "${system##*/}"
# The working tree of OVERRIDE_<package> is there already, with its author's changes in it.
[ -z "${recipe_override-}" ] || step_unpack() { :; }
for step in $(compgen -A function step_); do
    grep -qx "$step" <<<"$known" || { printf '%s has %s, which is no step; there are: %s\n' "${system##*/}" "$step" "${known//$'\n'/ }"; exit 1; }
done

mkdir -p "$unpacked"
for step; do
    echo "== $step"
    case $step in unpack | extract) cd "$build" ;; *) cd "$srcdir" ;; esac
    "step_$step"
    strict "$step"
    [ -z "$(jobs -pr)" ] || { echo "$step ends before what it runs in the background (&), which would be cut off: end it with 'wait \$!'"; exit 1; }
    [ -d "$srcdir" ] || { echo "there is no folder ${srcdir#"$build"/} after $step: is srcdir right?"; exit 1; }
done
: >"$build/.done"
