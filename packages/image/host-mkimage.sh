# shellcheck shell=bash disable=SC2164
# The sources that it shares with the engine's own programs are built here once more, so that the image's key covers them.

step_build() {
    cd /build/files/scripts
    g++ -std=c++20 -O2 -Itools -o /build/src/mkimage mkimage/*.cc tools/*.cc -lcrypto
}

step_install() {
    install -D mkimage /out/host/bin/mkimage
}
