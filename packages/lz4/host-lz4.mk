summary  = Library of a fast compressor, for EROFS
version  = 1.10.0
licence  = BSD-2-Clause
source   = debian:lz4/lz4_$(version).orig.tar.gz
sha256   = 537512904744b35e232912055ccf8ec66d768639ff3abe5788d90d792ec5f48b
upstream = https://github.com/lz4/lz4/archive/refs/tags/v$(version).tar.gz
build    = make
make     = -C lib BUILD_SHARED=no all liblz4.pc
install  = -C lib BUILD_SHARED=no install
