# The headers alone, which is all that the compiler and libgcc need of musl.
summary  = C library headers
version  = 1.2.5
licence  = MIT
source   = debian:musl/musl_$(version).orig.tar.gz
sha256   = a9a118bbe84d8764da0ea0d28b3ab3fae8477fc7e4085d90102b8596fc7c75e4
upstream = https://musl.libc.org/releases/musl-$(version).tar.gz
build    = own
