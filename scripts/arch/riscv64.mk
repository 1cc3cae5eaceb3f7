# riscv64: all that is peculiar to it outside kernel/arch/. Nothing else in the tree names an architecture.

# The environment of every build for the target, and part of its key.
TARGET              := riscv64-linux-musl
TARGET_KERNEL_ARCH  := riscv
TARGET_KERNEL_IMAGE := arch/riscv/boot/Image
TARGET_GOARCH       := riscv64
TARGET_MESON_CPU    := riscv64
# What every processor that Linux distributions run on has.
TARGET_GCC_ARGS     := --with-arch=rv64gc --with-abi=lp64d

QEMU         := qemu-system-riscv64
QEMU_MACHINE := virt
QEMU_CPU_TCG := rv64
# Of output/images: packages/opensbi
QEMU_FIRMWARE := fw_dynamic.bin
