# shellcheck shell=bash
# Only the client of NTP: no server, no reference clocks, nothing to be asked or told while it runs.

step_configure() {
    # Asked of the build machine otherwise. It is started without privileges, and has none to drop.
    ./configure --host-system=Linux --host-release=6 --host-machine="$TARGET_KERNEL_ARCH" --prefix=/usr --sbindir=/usr/bin \
        --disable-readline --disable-sechash --disable-nts --disable-cmdmon --disable-refclock --disable-phc --disable-pps \
        --disable-rtc --disable-privdrop --without-libcap --without-seccomp --without-nettle --without-gnutls --without-nss \
        --without-tomcrypt
}

step_build() { make chronyd; }

step_install() {
    install -D -m 755 chronyd "$DESTDIR/usr/bin/chronyd"
    cp -r /build/files/packages/chrony/files/etc "$DESTDIR/etc"
}
