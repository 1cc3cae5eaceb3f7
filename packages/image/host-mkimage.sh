# shellcheck shell=bash
# The same shared sources as the engine's own tools, built here so that the image's key covers them.

step_build() {
    g++ -std=c++20 -O2 -o mkimage $(ls /build/files/scripts/tools/*.cc | grep -vE '/(keys|store|why)\.cc$') -lcrypto
}

step_install() {
    install -D mkimage /out/host/bin/mkimage
}
