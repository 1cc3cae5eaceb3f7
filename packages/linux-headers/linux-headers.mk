summary = Kernel headers for programs
version = 6.12.107
licence = GPL-2.0-only WITH Linux-syscall-note
source  = debian:linux/linux_$(version).orig.tar.xz
sha256  = efc76d3c78a5d65f42724118c437d11db1c9f6309a5f024ee9a8b1978fdc6919
build   = own
