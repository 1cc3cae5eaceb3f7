# The machine image: composed from the packages' entries, the overlays and the board's overlay. See image.sh.
summary   = Kernel, initramfs, manifest and reports, as in output/images
version   = 1
licence   = NONE
depends   = host-init host-mkimage host-zstd linux $(image-packages)
depends-$(CONFIG_IMAGE_LAYOUT_EROFS) += host-erofs-utils
build     = own
kind-$(CONFIG_IMAGE_PRODUCTION) = production
kind-$(CONFIG_IMAGE_DEV)        = dev
overlays  = overlays/base $(wildcard overlays/$(kind-y)) $(wildcard board/$(CONFIG_BOARD)/overlay) $(CONFIG_IMAGE_OVERLAY)
# Which paths of which package: "nomad:/usr/bin/nomad".
contents  = $(foreach p,$(image-packages),$(addprefix $p:,$($p.image)))
services  = $(foreach p,$(image-packages),$(wildcard $(dir $(call recipe-file,$p))service))
accounts  = $(foreach p,$(image-packages),$($p.users))
files     = packages/image/layout.spec $(overlays) $(services)
symbols   = CONFIG_HOSTNAME CONFIG_IMAGE_LAYOUT_EROFS CONFIG_IMAGE_COMPRESSION_LEVEL
