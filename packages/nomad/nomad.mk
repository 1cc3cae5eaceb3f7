summary   = Scheduler of programs and containers, server and client
# The last under the MPL that is served (docs/nomad.md).
version   = 1.6.3
licence   = MPL-2.0
source    = go-vendor:nomad-$(version).tar.gz
sha256    = 7b1035fd9a35a8383b3467cf3e5c795551221ea432de91bedbe4b9ab7960bcb5
module    = github.com/hashicorp/nomad
# The api module lies in the same repository: the release's own commit, tag v1.6.3.
go-replace = github.com/hashicorp/nomad/api=github.com/hashicorp/nomad/api@v0.0.0-20231030125810-e0497bff1437
# The web interface is in command/agent as the assets that HashiCorp built; its sources in ui/ would need Node to build.
go-delete  = .changelog demo dev drivers/docker/test-resources drivers/qemu/test-resources e2e integrations terraform ui website
# Three files of the release bear the mark of the Business Source License. Two are mocks for tests; one a patch writes anew.
go-delete += client/pluginmanager/csimanager/testing.go helper/backoff.go testutil/mock_calls.go
build       = go
go-packages = .
# Without `release` a mock driver for tests is built in.
tags        = ui release
go-ldflags  = -X github.com/hashicorp/nomad/version.GitCommit=e0497bff14378d68cad76a801cc0eba93ce05039
go-ldflags += -X github.com/hashicorp/nomad/version.BuildDate=2023-10-30T12:58:10Z
files       = packages/nomad/files
image       = /usr/bin/nomad /etc/nomad
