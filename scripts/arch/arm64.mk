# arm64: all that is peculiar to it outside kernel/arch/. Nothing else in the tree names an architecture.

# The environment of every build for the target, and part of its key.
TARGET              := aarch64-linux-musl
TARGET_KERNEL_ARCH  := arm64
TARGET_KERNEL_IMAGE := arch/arm64/boot/Image
TARGET_GOARCH       := arm64
TARGET_MESON_CPU    := aarch64
# Return addresses are signed, and branches land only where they may (PAC and BTI): -mbranch-protection=standard for all, libgcc too.
TARGET_GCC_ARGS     := --enable-standard-branch-protection

QEMU         := qemu-system-aarch64
QEMU_MACHINE := virt
QEMU_CPU_TCG := max,pauth-impdef=on
