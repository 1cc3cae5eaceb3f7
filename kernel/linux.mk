summary   = Linux kernel, without modules
version   = 6.12.107
licence   = GPL-2.0-only WITH Linux-syscall-note
source    = debian:linux/linux_$(version).orig.tar.xz
sha256    = efc76d3c78a5d65f42724118c437d11db1c9f6309a5f024ee9a8b1978fdc6919
# zstd packs the image: another version of it would be another image.
depends   = cross-binutils cross-gcc host-make host-zstd
build     = own
scripts   = kconfig-lib.sh kconfig-check.awk

# One file for each concern; $(CONFIG_ARCH)'s part of it is a file of its own. Later ones win: the board's is last.
fragments  = kernel/base.config kernel/filesystems.config kernel/confinement.config kernel/hardening.config
fragments += kernel/arch/$(CONFIG_ARCH).config kernel/arch/$(CONFIG_ARCH)-pages-$(CONFIG_KERNEL_PAGES).config?
fragments-$(CONFIG_KERNEL_VM_GUEST)        += kernel/vm-guest.config kernel/arch/$(CONFIG_ARCH)-vm-guest.config?
fragments-$(CONFIG_KERNEL_CLOUD_GUEST)     += kernel/cloud-guest.config kernel/arch/$(CONFIG_ARCH)-cloud-guest.config?
fragments-$(CONFIG_KERNEL_SERVER_HARDWARE) += kernel/server-hardware.config kernel/arch/$(CONFIG_ARCH)-server-hardware.config?
fragments-$(CONFIG_KERNEL_CONTAINERS)      += kernel/containers.config kernel/arch/$(CONFIG_ARCH)-containers.config?
fragments-$(CONFIG_KERNEL_NETFILTER)       += kernel/netfilter.config kernel/arch/$(CONFIG_ARCH)-netfilter.config?
fragments-$(CONFIG_KERNEL_XFS)             += kernel/xfs.config
fragments-y                                += board/$(CONFIG_BOARD)/kernel.config?
