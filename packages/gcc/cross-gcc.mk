# C and C++ compiler and libgcc. It is built against musl's headers alone, so
# that neither a patch of musl's code nor one of libstdc++ ever rebuilds it.
summary = C and C++ compiler for the target
version = 14.2.0
licence = GPL-3.0-or-later WITH GCC-exception-3.1
source  = debian:gcc-14/gcc-14_$(version).orig.tar.gz
sha256  = e162a5ef3f0077ecae598c6556908d2ab80841532df3398072a96a6df6e6aa29
source += debian:gmp/gmp_6.3.0+dfsg.orig.tar.xz
sha256 += bd2966e6d277f79328e894a5a9f3ba3fbf2ed2be81def5f48623e30c23fb1572
source += debian:mpfr4/mpfr4_4.2.2.orig.tar.xz
sha256 += b67ba0383ef7e8a8563734e2e889ef5ec3c3b898a01d00fa0a6869ad81c6ce01
source += debian:mpclib3/mpclib3_1.3.1.orig.tar.gz
sha256 += ab642492f5cf882b74aa0cb730cd410a81edcdbec895183ce930e706c1c759b8
depends = cross-binutils musl-headers
build   = own
configure  = --enable-languages=c,c++ --enable-checking=release --with-pkgversion=Copal
configure += --enable-default-pie --enable-initfini-array --with-linker-hash-style=gnu
configure += --enable-poison-system-directories --disable-gnu-indirect-function --disable-shared
configure += --disable-bootstrap --disable-multilib --disable-nls --disable-werror --disable-lto --disable-plugin
configure += --disable-analyzer --disable-gcov --disable-decimal-float --disable-fixed-point
configure += --disable-libatomic --disable-libcc1 --disable-libgomp --disable-libitm --disable-libquadmath
configure += --disable-libsanitizer --disable-libssp --disable-libvtv --without-isl --without-zstd
