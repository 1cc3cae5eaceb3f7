# x86_64: all that is peculiar to it outside kernel/arch/. Nothing else in the tree names an architecture.

# The environment of every build for the target, and part of its key.
TARGET              := x86_64-linux-musl
TARGET_KERNEL_ARCH  := x86
TARGET_KERNEL_IMAGE := arch/x86/boot/bzImage
TARGET_GOARCH       := amd64
TARGET_MESON_CPU    := x86_64
TARGET_GCC_ARGS     :=

QEMU         := qemu-system-x86_64
QEMU_MACHINE := q35
QEMU_CPU_TCG := max
