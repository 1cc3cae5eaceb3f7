summary = TLS library, as a client needs it
version = 3.6.6
licence = Apache-2.0 OR GPL-2.0-or-later
source  = debian:mbedtls/mbedtls_$(version).orig.tar.bz2
sha256  = 8fb65fae8dcae5840f793c0a334860a411f884cc537ea290ce1c52bb64ca007a
depends = cross-binutils cross-gcc host-make linux-headers musl
build   = own
files   = packages/mbedtls/mbedtls_config.h
