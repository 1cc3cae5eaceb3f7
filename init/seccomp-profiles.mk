# The filters of system calls that service files name, for this architecture.
summary = Filters of system calls
version = 0.1
licence = MIT
depends = host-libseccomp
build   = own
files   = init/seccomp
image   = /etc/seccomp
