# shellcheck shell=bash
# Packages that are built by Meson. A host- package is built natively for
# /host, a target package with a cross file that is made of the environment.
# The recipe's `configure`, `make` (for ninja) and `install` (for meson install)
# are words as the shell reads them.

step_configure() {
    local -a options
    case $NAME in
    host-*) options=(--prefix=/host --optimization=2) ;;
    *) write_cross_file >../cross.ini
        options=(--prefix=/usr --sysconfdir=/etc --localstatedir=/var --cross-file ../cross.ini
            --default-library=static --prefer-static) ;;
    esac
    eval "options+=(${recipe_configure-})"
    meson setup --buildtype=plain --libdir=lib --wrap-mode=nodownload -Db_pie=false "${options[@]}" ../obj
}

write_cross_file() {
    # needs_exe_wrapper: that the target's programs would run here by chance must not change the result.
    cat <<END
[binaries]
c = $(list "$CC")
cpp = $(list "$CXX")
ar = $(list "$AR")
ranlib = $(list "$RANLIB")
strip = $(list "$STRIP")
pkg-config = 'pkg-config'
[built-in options]
c_args = $(list "$CFLAGS")
cpp_args = $(list "$CXXFLAGS")
c_link_args = $(list "$LDFLAGS")
cpp_link_args = $(list "$LDFLAGS")
[properties]
sys_root = '/sysroot'
pkg_config_libdir = '/sysroot/usr/lib/pkgconfig:/sysroot/usr/share/pkgconfig'
needs_exe_wrapper = true
[host_machine]
system = 'linux'
cpu_family = '$TARGET_MESON_CPU'
cpu = '$TARGET_MESON_CPU'
endian = 'little'
END
}

# list 'a b': the words as a Meson array, ['a', 'b'].
list() {
    local -a words
    read -ra words <<<"$1"
    [[ ${#words[@]} -gt 0 ]] && printf -v words[0] "'%s', " "${words[@]}"
    printf '[%s]\n' "${words[0]-}"
}

step_build() {
    local -a options
    eval "options=(${recipe_make-})"
    take_jobs
    ninja -C ../obj -j "$JOBS" "${options[@]}"
}

step_install() {
    local -a options
    eval "options=(${recipe_install-})"
    DESTDIR="$DESTDIR" meson install --no-rebuild -C ../obj "${options[@]}"
}
