# `init --check DIR ROOT`: reads service files on the build machine as PID 1 will.
summary   = Checker of service files
version   = 0.1
licence   = MIT
build     = meson
srcdir    = files/init
files     = init/src init/meson.build init/meson_options.txt
configure = --buildtype=minsize
