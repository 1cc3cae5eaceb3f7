summary  = C library
version  = 1.2.5
licence  = MIT
source   = debian:musl/musl_$(version).orig.tar.gz
sha256   = a9a118bbe84d8764da0ea0d28b3ab3fae8477fc7e4085d90102b8596fc7c75e4
upstream = https://musl.libc.org/releases/musl-$(version).tar.gz
depends  = cross-binutils cross-gcc
build    = own
# No shared library and so no dynamic loader: every program of the image is
# static, and what is not there can load no code that was not linked in.
configure = --disable-shared --disable-wrapper
