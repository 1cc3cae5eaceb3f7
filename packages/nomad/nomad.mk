summary   = Scheduler of programs and containers, server and client
version   = 1.9.3
licence   = BUSL-1.1
source    = go-vendor:nomad-$(version).tar.gz
sha256    = ba1a4ffff51cd5c8f44cb11c84d212d9c1c74f0a37f83def7ec1e1f902f05e71
module    = github.com/hashicorp/nomad
# The api module lies in the same repository: the release's own commit. That commit is d92bf10… of tag v1.9.3.
go-replace = github.com/hashicorp/nomad/api=github.com/hashicorp/nomad/api@v0.0.0-20241111163541-d92bf1014886
# The web interface is in command/agent as the assets that HashiCorp built; its sources in ui/ would need Node to build.
go-delete  = .changelog demo dev drivers/docker/test-resources drivers/qemu/test-resources e2e integrations terraform ui website
build       = go
go-packages = .
# Without `release` a mock driver for tests is built in.
tags        = ui release
go-ldflags  = -X github.com/hashicorp/nomad/version.GitCommit=d92bf1014886c0ff9f882f4a2691d5ae8ad8131c
go-ldflags += -X github.com/hashicorp/nomad/version.BuildDate=2024-11-11T16:35:41Z
files       = packages/nomad/files
image       = /usr/bin/nomad /etc/nomad
