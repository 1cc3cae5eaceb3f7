# What `init --disk` runs: the checker and the maker of ext4. It grows a file system itself, by the kernel's online resize.
summary   = Checker and maker of ext4 file systems
version   = 1.47.2
licence   = GPL-2.0-only AND LGPL-2.0-only AND BSD-3-Clause AND MIT
source    = debian:e2fsprogs/e2fsprogs_$(version).orig.tar.gz
sha256    = 6dcd67ff9d8b13274ba3f088e4318be4f5b71412cd863524423fc49d39a6371f
build     = autotools
configure  = --enable-libuuid --enable-libblkid --disable-backtrace --disable-debugfs --disable-defrag --disable-fuse2fs
configure += --disable-imager --disable-resizer --disable-tdb --disable-testio-debug --disable-uuidd --without-libarchive
configure += --with-crond-dir=no --with-systemd-unit-dir=no --with-udev-rules-dir=no
make      = progs
install   = install-progs-recursive root_sbindir=/usr/bin
image     = /usr/bin/e2fsck /usr/bin/mke2fs
