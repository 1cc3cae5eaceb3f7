# shellcheck shell=bash
# Nothing is built: the program is init.

step_install() {
    install -D -m 644 /build/files/packages/network/files/etc/init/links "$DESTDIR/etc/init/links"
}
