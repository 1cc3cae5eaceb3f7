summary = Compressor and its library, for images
version = 1.5.7
licence = BSD-3-Clause OR GPL-2.0-only
source  = debian:libzstd/libzstd_$(version)+dfsg.orig.tar.xz
sha256  = 0c092ef267edce57ba7f3f2645c861f72eaf5e76273c6c3632869423464b90a5
build   = own
