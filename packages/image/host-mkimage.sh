# shellcheck shell=bash disable=SC2164
# The same shared sources as the engine's own tools, built here so that the image's key covers them.

step_build() {
    cd /build/files/scripts/tools
    rm keys.cc store.cc why.cc # the other programs
    g++ -std=c++20 -O2 -o /build/src/mkimage ./*.cc -lcrypto
}

step_install() {
    install -D mkimage /out/host/bin/mkimage
}
