# shellcheck shell=bash
# musl, statically: libc.a and the start files. Its configure script is written
# by hand and is no Autoconf; the linker flags of programs are none of its business.

step_configure() {
    local -a options
    eval "options=(${recipe_configure-})"
    unset LDFLAGS
    ./configure --prefix=/usr --target="$TARGET" "${options[@]}"
}

step_build() {
    make
}

step_install() {
    make DESTDIR="$DESTDIR" install
}
