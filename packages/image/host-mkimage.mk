summary   = Composes, checks and writes images
version   = 1
licence   = MIT
build     = own
files     = scripts/tools
