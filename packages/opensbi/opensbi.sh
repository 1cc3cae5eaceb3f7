# shellcheck shell=bash
# The firmware that hands over to what was loaded beside it (QEMU's -kernel), for every machine that describes itself by a device tree.

step_build() {
    # The name of the version would be asked of git, which is not there.
    make PLATFORM=generic CROSS_COMPILE="$TARGET-" FW_DYNAMIC=y FW_JUMP=n FW_PAYLOAD=n
}

step_install() {
    install -D -m 644 build/platform/generic/firmware/fw_dynamic.bin "$DESTDIR/boot/fw_dynamic.bin"
}
