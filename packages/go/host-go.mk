# The Go compiler for the build machine, from source; see host-go.sh for how it is proved to be the official one.
summary = Go toolchain
version = 1.27.3
licence = BSD-3-Clause

# Sources and official programs are in one module for each platform, the one that GOTOOLCHAIN=go1.27.3 takes; the checksum
# database vouches for both. It is also what packs the sources of Go services (scripts/build/needs.mk).
go-platform-x86_64  = linux-amd64
go-platform-aarch64 = linux-arm64
go-pins-x86_64      = af4c06478303fdd1bfb335fab86c7ccb9b12e529044a946a16a1c4bcc779f8d7
go-pins-aarch64     = 0ec0774cad42ecf4df82691146ee0b10c303ea594f163acb1737baedd5cc2835
source = go:golang.org/toolchain@v0.0.1-go$(version).$(go-platform-$(HOST_ARCH))
sha256 = $(go-pins-$(HOST_ARCH))
build  = own
