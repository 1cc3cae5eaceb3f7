# Compiles filters of system calls when an image is built; no machine carries it.
summary   = Library that makes filters of system calls
version   = 2.6.0
licence   = LGPL-2.1-only
source    = debian:libseccomp/libseccomp_$(version).orig.tar.gz
sha256    = 83b6085232d1588c379dc9b9cae47bb37407cf262e6e74993c61ba72d2a784dc
depends   = host-gperf
build     = autotools
configure = --disable-shared --disable-python
