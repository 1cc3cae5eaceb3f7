# shellcheck shell=bash
# A header needs no build system.

step_install() {
    install -D -m 644 single_include/nlohmann/json.hpp "$DESTDIR/usr/include/nlohmann/json.hpp"
}
