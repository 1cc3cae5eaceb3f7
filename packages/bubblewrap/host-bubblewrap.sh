# shellcheck shell=bash
# bubblewrap without Meson: it is built by the bare host, before there is a
# sandbox, so it asks for nothing but a C compiler and libcap. The files are
# those that meson.build names. Only relative paths and DESTDIR are used here.

step_configure() {
    printf '#define PACKAGE_STRING "bubblewrap %s"\n' "$VERSION" >config.h
}

step_build() {
    # Linked statically where the host has libcap.a: then an upgrade of the host's libraries cannot break it.
    compile -static || compile
}

compile() {
    cc -O2 -D_GNU_SOURCE -I. "$@" -s -o bwrap \
        bubblewrap.c bind-mount.c network.c utils.c chroot_realpath.c safe_openat.c -lcap
}

step_install() {
    install -D -m 755 bwrap "$DESTDIR/host/bin/bwrap"
}
