# shellcheck shell=bash
# musl's headers need no compiler, only the name of the architecture, which
# musl's own configure script knows; `true` stands in for the compiler.

step_configure() {
    ./configure --prefix=/usr --target="$TARGET" CC=true
}

step_install() {
    make DESTDIR="$DESTDIR" install-headers
}
