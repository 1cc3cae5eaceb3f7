summary = Perfect hash function generator, for libseccomp
version = 3.2.1
licence = GPL-3.0-or-later
source  = debian:gperf/gperf_$(version).orig.tar.gz
sha256  = ed5ad317858e0a9badbbada70df40194002e16e8834ac24491307c88f96f9702
build   = autotools
