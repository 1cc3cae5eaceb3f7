summary = Finder of libraries, as pkg-config
version = 1.8.1
licence = ISC
source  = debian:pkgconf/pkgconf_$(version).orig.tar.xz
sha256  = 644361ada2942be05655d4452eb018791647c31bba429b287f1f68deb2dc6840
build   = autotools
# Installed under the name that every configure script looks for.
configure  = --disable-shared --program-transform-name=s/pkgconf/pkg-config/
configure += --with-pkg-config-dir=/host/lib/pkgconfig
