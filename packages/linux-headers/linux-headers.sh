# shellcheck shell=bash disable=SC2164
# What the kernel shows to programs. Only the few folders that `make headers`
# reads are unpacked, and the result is copied by hand: the kernel's own
# headers_install wants rsync.

step_unpack() {
    mkdir -p src
    tar -xf /src/linux_*.tar.xz -C src --strip-components=1 --no-same-owner \
        --wildcards --no-wildcards-match-slash 'linux-*/Makefile' 'linux-*/scripts' \
        'linux-*/include' 'linux-*/tools/include' 'linux-*/usr/include' \
        "linux-*/arch/$TARGET_KERNEL_ARCH"
    cd src
    apply_patches
}

step_build() {
    make ARCH="$TARGET_KERNEL_ARCH" HOSTCC=gcc headers
}

step_install() {
    mkdir -p "$DESTDIR/usr"
    find usr/include -type f ! -name '*.h' -delete
    cp -R usr/include "$DESTDIR/usr/"
}
