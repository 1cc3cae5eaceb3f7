# The sandbox that everything else is built in, so the one thing that is built outside it.
summary = Unprivileged sandboxing tool
version = 0.12.0
licence = LGPL-2.0-or-later
source  = debian:bubblewrap/bubblewrap_$(version).orig.tar.xz
sha256  = 9760d007363e3abba7c747489910f9f82d9fca53ba3bd3282e396fa3c97a3314
build   = own
sandbox = none
