# A program of its own, since HTTP, TLS and JSON are libraries that are each larger than all of init.
summary   = A machine's configuration from its firmware, a disk or the network
version   = 0.1
licence   = MIT
depends   = curl host-pkgconf libstdcxx mbedtls nlohmann-json
build     = meson
srcdir    = files/init
files     = init/src init/services init/meson.build init/meson_options.txt
configure = --buildtype=minsize -Db_pie=true -Dlink_flags=-static-pie -Dmetadata=true
make      = src/metadata/metadata
install   = --tags metadata
image     = /usr/bin/metadata /etc/init
