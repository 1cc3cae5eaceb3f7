# shellcheck shell=bash disable=SC2154,SC2164
# The kernel: $DESTDIR/boot/<image> and $DESTDIR/boot/config. No System.map: kallsyms has it for oopses, and to others it would
# tell where everything is. The bytes depend on sources, fragments and compiler only: user, host, time and number are fixed.
# shellcheck source=scripts/build/kconfig-lib.sh
. "$recipe/kconfig-lib.sh"

kernel_make() {
    make ARCH="$TARGET_KERNEL_ARCH" CROSS_COMPILE="$TARGET-" "$@" \
        KBUILD_BUILD_USER=copal KBUILD_BUILD_HOST=copal KBUILD_BUILD_VERSION=1 \
        KBUILD_BUILD_TIMESTAMP="$(date -d "@$SOURCE_DATE_EPOCH" '+%a %b %e %H:%M:%S UTC %Y')"
}

# Half of the bytes are headers of one graphics card, device trees, documentation and tests, which no build here opens.
step_unpack() {
    unpack "linux_$VERSION.orig.tar.xz" "$srcdir" --exclude='*/drivers/gpu/drm/amd/include/*' --exclude='*/boot/dts/*' \
        --exclude='*/Documentation/*/*' --exclude='*/tools/testing/*' --exclude='*/tools/perf/*'
    cd "$srcdir"
    apply_patches
}

# The kernel's allnoconfig takes wishes, and answers all other questions with no.
step_configure() {
    kconfig_merge >../wishes.config
    KCONFIG_ALLCONFIG=$PWD/../wishes.config kernel_make -s allnoconfig >../kconfig.log 2>&1 || { cat ../kconfig.log; return 1; }
    kconfig_check
}

step_build() {
    kernel_make -s "${TARGET_KERNEL_IMAGE##*/}"
}

step_install() {
    install -D -m 644 "$TARGET_KERNEL_IMAGE" "$DESTDIR/boot/${TARGET_KERNEL_IMAGE##*/}"
    install -m 644 .config "$DESTDIR/boot/config"
}
