summary   = Linux kernel, without modules
version   = 6.12.107
licence   = GPL-2.0-only WITH Linux-syscall-note
source    = debian:linux/linux_$(version).orig.tar.xz
sha256    = efc76d3c78a5d65f42724118c437d11db1c9f6309a5f024ee9a8b1978fdc6919
# zstd packs the image: another version of it would be another image.
depends   = cross-binutils cross-gcc host-make host-zstd
build     = own
files     = scripts/build/kconfig-lib.sh scripts/build/kconfig-check.awk

# One file for each concern; $(CONFIG_ARCH)'s part of it is a file of its own. Later ones win: the board's is last.
fragments  = kernel/base.config kernel/filesystems.config kernel/confinement.config kernel/hardening.config
fragments += kernel/arch/$(CONFIG_ARCH).config
concern    = kernel/$1.config $(wildcard kernel/arch/$(CONFIG_ARCH)-$1.config)
fragments-$(CONFIG_KERNEL_VM_GUEST)        += $(call concern,vm-guest)
fragments-$(CONFIG_KERNEL_CLOUD_GUEST)     += $(call concern,cloud-guest)
fragments-$(CONFIG_KERNEL_SERVER_HARDWARE) += $(call concern,server-hardware)
fragments-$(CONFIG_KERNEL_CONTAINERS)      += $(call concern,containers)
fragments-$(CONFIG_KERNEL_NETFILTER)       += $(call concern,netfilter)
fragments-$(CONFIG_KERNEL_XFS)             += $(call concern,xfs)
fragments-y                                += $(wildcard board/$(CONFIG_BOARD)/kernel.config)
