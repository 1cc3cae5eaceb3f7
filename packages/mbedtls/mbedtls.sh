# shellcheck shell=bash
# The static libraries with the configuration beside the recipe, which programs that use them are compiled with as well. The
# archive holds the files that would otherwise be generated.

step_configure() {
    cp /build/files/packages/mbedtls/mbedtls_config.h include/mbedtls/mbedtls_config.h
}

step_build() {
    make -C library CC="$CC" AR="$AR" RL="$RANLIB" libmbedcrypto.a libmbedx509.a libmbedtls.a
}

step_install() {
    mkdir -p "$DESTDIR/usr/include" "$DESTDIR/usr/lib"
    cp -r include/mbedtls include/psa "$DESTDIR/usr/include"
    install -m 644 library/*.a "$DESTDIR/usr/lib"
}
