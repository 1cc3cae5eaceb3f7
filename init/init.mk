# PID 1 and the supervisor of everything. What is checked when an image is built is host-init.
summary   = Boots, starts, watches and stops everything
version   = 0.1
licence   = MIT
depends   = libstdcxx
build     = meson
srcdir    = files/init
files     = init/src init/meson.build init/meson_options.txt
configure = --buildtype=minsize -Db_pie=true -Dlink_flags=-static-pie -Dbuild_tools=false
# Who the log runs as, and who may ask for the state of all services.
users     = log:100 status:101
image     = /usr/bin/init
image-$(CONFIG_COPALCTL) += /usr/bin/copalctl
