summary = Build system
version = 1.7.0
licence = Apache-2.0
source  = pypi:meson/meson-$(version).tar.gz
sha256  = 08efbe84803eed07f863b05092d653a9d348f7038761d900412fddf56deb0284
build   = own
