# shellcheck shell=bash disable=SC2164

step_build() {
    cd /build/files/init/seccomp
    g++ -std=c++20 -O1 -Wall -I/host/include -o /build/compile compile.cc -L/host/lib -lseccomp
}

step_install() {
    local profile
    mkdir -p "$DESTDIR/etc/seccomp"
    cd /build/files/init/seccomp
    for profile in *; do
        case $profile in *.cc) continue ;; esac
        /build/compile "$TARGET_MESON_CPU" . "$profile" >"$DESTDIR/etc/seccomp/$profile"
    done
}
