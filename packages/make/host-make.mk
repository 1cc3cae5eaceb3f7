summary = GNU Make for the builds inside the sandbox
version = 4.4.1
licence = GPL-3.0-or-later
source  = debian:make-dfsg/make-dfsg_$(version).orig.tar.xz
sha256  = 3b16b00ea1079af9f8096bbc71ff7cc00c249fc6a862003da3c42308a0adb0fe
build   = autotools
configure = --without-guile --disable-nls
make      = man_MANS=
install   = man_MANS= install
