# The Go compiler for the build machine, from source; see host-go.sh for how it is proved to be the official one.
summary   = Go toolchain
version   = 1.26.8
licence   = BSD-3-Clause

# Sources and official binaries are in one module for each platform; the checksum database vouches for both.
# An arm64 build machine starts from the release itself: no older one is served for it.
go-platform-x86_64   = linux-amd64
go-platform-aarch64  = linux-arm64
go-bootstrap-x86_64  = 1.25.5
go-bootstrap-aarch64 = $(version)
go-pins-x86_64       = 8cea6783dab64d68b38f5b81ecd38d45155a3c06638991acc6af19e0fca80edb
go-pins-x86_64      += 30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7
go-pins-aarch64      = 02b36b6787b3ac767668f630e2998df45a3b1f9ffee08d1bf3ef6487cd658d99

go-platform  = $(go-platform-$(HOST_ARCH))
go-bootstrap = $(go-bootstrap-$(HOST_ARCH))
# The release itself comes last: it is also what packs the sources of Go services (scripts/source.mk).
source       = go:golang.org/toolchain@v0.0.1-go$(go-bootstrap).$(go-platform) go:golang.org/toolchain@v0.0.1-go$(version).$(go-platform)
sha256       = $(go-pins-$(HOST_ARCH))
build        = own
