# shellcheck shell=bash
# The static library with threads, and the program linked with it: the
# Makefile of the program would compile the library a second time.

step_build() {
    make -C lib CFLAGS=-O3 ZSTD_LEGACY_SUPPORT=0 libzstd.a-mt libzstd.pc PREFIX=/host
    cc -O2 -s -DZSTD_MULTITHREAD -DZSTD_LEGACY_SUPPORT=0 -DXXH_NAMESPACE=ZSTD_ -o zstd \
        programs/*.c lib/libzstd.a -lpthread
}

step_install() {
    make -C lib CFLAGS=-O3 PREFIX=/host DESTDIR="$DESTDIR" install-includes install-pc
    install -D -m 644 lib/libzstd.a "$DESTDIR/host/lib/libzstd.a"
    install -D -m 755 zstd "$DESTDIR/host/bin/zstd"
}
