# Apart from the compiler, and against the finished C library.
summary = C++ standard library
version = 14.2.0
licence = GPL-3.0-or-later WITH GCC-exception-3.1
source  = debian:gcc-14/gcc-14_$(version).orig.tar.gz
sha256  = e162a5ef3f0077ecae598c6556908d2ab80841532df3398072a96a6df6e6aa29
depends = cross-binutils cross-gcc linux-headers musl
build   = own
configure  = --disable-multilib --disable-nls --disable-shared --disable-libstdcxx-pch
configure += --disable-libstdcxx-filesystem-ts --with-libstdcxx-zoneinfo=/usr/share/zoneinfo,static
# Without the handler that prints what was thrown, which brings the demangler
# and stdio into every program that knows exceptions.
configure += --disable-libstdcxx-verbose
