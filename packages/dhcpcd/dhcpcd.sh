# shellcheck shell=bash
# Its configure script has only the name in common with autotools'.

step_configure() {
    local options=(--os=linux --host="$TARGET" --prefix=/usr --sbindir=/usr/bin --sysconfdir=/etc --libexecdir=/usr/libexec
        # What it writes is gone at the next boot, and is in one folder with what init writes.
        --dbdir=/run/network/dhcpcd --rundir=/run/network/dhcpcd
        # It runs as a user of its own with three capabilities, in place of a process that stays root beside one that does not.
        --disable-privsep
        --disable-auth --disable-ipv4ll --disable-arping --without-dev --without-udev)
    ./configure "${options[@]}"
}

step_build() { make -C src dhcpcd; }

step_install() {
    install -D -m 755 src/dhcpcd "$DESTDIR/usr/bin/dhcpcd"
    install -D -m 644 /build/files/packages/dhcpcd/files/etc/network/default "$DESTDIR/etc/network/default"
    mkdir -p "$DESTDIR/usr/libexec"
    ln -s ../bin/init "$DESTDIR/usr/libexec/dhcpcd-run-hooks"
}
