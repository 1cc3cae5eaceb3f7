summary = Assembler, linker and ELF tools for the target
version = 2.44
licence = GPL-3.0-or-later
source  = debian:binutils/binutils_$(version).orig.tar.xz
sha256  = c41a0272424f41bb01bf828e7ffef1b2d59d1788064fd6b5f1d971717e9320b8
build   = autotools
# -O1 and no debugging information: the quickest to build and run in all.
configure  = CFLAGS=-O1 CXXFLAGS=-O1 LDFLAGS=-s MAKEINFO=true --with-sysroot=/sysroot
configure += --enable-deterministic-archives --enable-relro --enable-separate-code --enable-new-dtags
configure += --disable-gdb --disable-gdbserver --disable-sim --disable-gprof --disable-gprofng --disable-gold
configure += --disable-plugins --disable-libctf --disable-nls --disable-werror --disable-multilib --without-zstd
make    = MAKEINFO=true
install = MAKEINFO=true install
