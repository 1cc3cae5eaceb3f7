# The links and the network's state are `init --net`; this package says that they are wanted, and how they run.
summary = Sets up the links, and says when the machine is online
version = 1
licence = MIT
build   = own
files   = packages/network/files
users   = network:80
image   = /etc/init/links
