# shellcheck shell=bash
# Mozilla's list of authorities as the one file that every TLS library reads.
# Debian's own converter needs a cryptography module; ours needs Python alone.

step_build() {
    python3 -B /build/files/packages/ca-certificates/bundle.py "$VERSION" \
        mozilla/certdata.txt mozilla/blacklist.txt >ca-certificates.crt
}

step_install() {
    install -D -m 644 ca-certificates.crt "$DESTDIR/etc/ssl/certs/ca-certificates.crt"
}
