# The machine image: composed from the packages' entries, the overlays and the board's overlay. See image.sh.
summary   = Kernel, initramfs, manifest and reports, as in output/images
version   = 1
licence   = NONE
depends   = host-init host-mkimage host-zstd
depends-$(CONFIG_IMAGE_LAYOUT_EROFS) += host-erofs-utils
build     = own
# Seen whole, with what their recipes say of the image: which paths, which users, which service.
entries   = linux $(image-packages)
# Later ones win.
overlays  = overlays/base
overlays-$(CONFIG_IMAGE_DEV) += overlays/dev
overlays-$(CONFIG_IMAGE_PRODUCTION) += overlays/production?
overlays-y += board/$(CONFIG_BOARD)/overlay? $(CONFIG_IMAGE_OVERLAY)
files     = packages/image/layout.spec
symbols   = CONFIG_HOSTNAME CONFIG_IMAGE_LAYOUT_EROFS CONFIG_IMAGE_COMPRESSION_LEVEL
