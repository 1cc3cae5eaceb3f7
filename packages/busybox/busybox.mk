summary   = A shell and commands for development images
version   = 1.37.0
licence   = GPL-2.0-only AND bzip2-1.0.6
source    = debian:busybox/busybox_$(version).orig.tar.bz2
sha256    = 3311dff32e746499f4df0d5df04d7eb396382d7e108bb9250e7b519b837043a4
build     = kconfig
scripts   = kconfig-lib.sh kconfig-check.awk
fragments = packages/busybox/base.config packages/busybox/files.config packages/busybox/system.config packages/busybox/network.config
# Only for the last link: on the way there are links with -r, which no PIE can be.
make      = LDFLAGS= "CFLAGS_busybox=$$LDFLAGS"
install   = $(make) install
image     = /usr/bin
