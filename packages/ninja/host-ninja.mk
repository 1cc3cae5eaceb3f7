summary  = Small fast build tool, for Meson
version  = 1.12.1
licence  = Apache-2.0
source   = debian:ninja-build/ninja-build_$(version).orig.tar.gz
sha256   = 821bdff48a3f683bc4bb3b6f0b5fe7b2d647cf65d52aeb63328c91a6c6df285a
upstream = https://github.com/ninja-build/ninja/archive/refs/tags/v$(version).tar.gz
build    = own
