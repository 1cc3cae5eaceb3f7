# The same program for the build machine: it checks service files with the parser that will read them (`init --check`).
summary   = Checker of service files
version   = 0.1
licence   = MIT
build     = meson
srcdir    = files/init
files     = init/src init/meson.build init/meson_options.txt
