summary = DHCP client for IPv4 and IPv6, and router advertisements
version = 10.1.0
licence = BSD-2-Clause
source  = debian:dhcpcd/dhcpcd_$(version).orig.tar.gz
sha256  = 98b396730159902464714f1762da29fb19e748ede1ade3516f0aabc8059d9c4d
depends = cross-binutils cross-gcc host-make linux-headers musl
build   = own
files   = packages/dhcpcd/files
# Its script is init, under this name.
image   = /usr/bin/dhcpcd /usr/libexec/dhcpcd-run-hooks /etc/network/default
