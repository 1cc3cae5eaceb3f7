# shellcheck shell=bash
# Packages with a configure script. A host- or cross- package goes to /host, a
# target package to /usr, statically. The recipe's `configure`, `make` and
# `install` are words as the shell reads them: quotes and $TARGET work.

step_configure() {
    local -a options
    case $NAME in
    host-*) options=(--prefix=/host CFLAGS=-O2 CXXFLAGS=-O2 CPPFLAGS=-I/host/include "LDFLAGS=-L/host/lib -s"
        PKG_CONFIG_LIBDIR=/host/lib/pkgconfig) ;;
    cross-*) options=(--prefix=/host --target="$TARGET") ;;
    *) options=(--prefix=/usr --sysconfdir=/etc --localstatedir=/var --host="$TARGET"
        --enable-static --disable-shared --disable-nls) ;;
    esac
    eval "options+=(${recipe_configure-})"
    [[ -e configure ]] || ACLOCAL_PATH=/host/share/aclocal autoreconf -fi
    ./configure --build="$BUILD_TRIPLET" --disable-dependency-tracking "${options[@]}"
}

step_build() {
    local -a options
    eval "options=(${recipe_make-})"
    make "${options[@]}"
}

step_install() {
    local -a options
    eval "options=(${recipe_install:-install})"
    make DESTDIR="$DESTDIR" "${options[@]}"
}
