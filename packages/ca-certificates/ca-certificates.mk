summary = Certificate authorities that Mozilla trusts for servers
version = 20250419
licence = MPL-2.0
source  = debian:ca-certificates/ca-certificates_$(version).tar.xz
sha256  = 33b44ef78653ecd3f0f2f13e5bba6be466be2e7da72182f737912b81798ba5d2
build   = own
files   = packages/ca-certificates/bundle.py
image   = /etc/ssl/certs/ca-certificates.crt
