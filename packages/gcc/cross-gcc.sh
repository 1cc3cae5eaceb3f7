# shellcheck shell=bash disable=SC2016,SC2164
# GCC with gmp, mpfr and mpc in its tree, compiler and libgcc in one go. Debian's
# tarball holds the real one, from which the GFDL manuals have been taken out;
# Debian's gmp lacks its doc folder for the same reason.

step_unpack() {
    mkdir -p src
    # The test suites are half of all files.
    tar -xOf /src/gcc-14_*.tar.gz --wildcards '*/gcc-*-dfsg.tar.xz' |
        tar -xJ -C src --strip-components=1 --no-same-owner --exclude='*/testsuite/*/*'
    (
        cd /src
        for part in gmp mpfr mpc; do
            unpack "$part"*.orig.tar.* /build/src/"$part"
        done
    )
    cd src
    apply_patches
    mkdir gmp/doc
    echo 'all:' >gmp/doc/Makefile.in
    # This rule compares the source with the manual that is not there.
    sed -i '/^s-tm-texi: build/,/^$/ { /^\t/d; s/^s-tm-texi:.*/&\n\t$(STAMP) $@/ }' gcc/Makefile.in
}

step_configure() {
    local -a options
    eval "options=(${recipe_configure-} ${TARGET_GCC_ARGS-})"
    mkdir ../obj
    cd ../obj
    # The compiler itself at -O1: the quickest to build and use in all.
    ../src/configure --prefix=/host --build="$BUILD_TRIPLET" --target="$TARGET" \
        --with-sysroot=/sysroot --with-gxx-include-dir="/sysroot/usr/include/c++/$VERSION" \
        CFLAGS=-O1 CXXFLAGS=-O1 LDFLAGS=-s CFLAGS_FOR_TARGET=-O2 MAKEINFO=true "${options[@]}"
}

# No manuals, and no "fixed" copies of musl's headers: they need no fixing, and
# a copy would hide the file that it was made from.
no_extras=(MAKEINFO=true BUILD_INFO= GENERATED_MANPAGES= STMP_FIXINC=)

step_build() {
    make -C ../obj "${no_extras[@]}" all-gcc all-target-libgcc
}

step_install() {
    make -C ../obj "${no_extras[@]}" DESTDIR="$DESTDIR" install-gcc install-target-libgcc
    cd "$DESTDIR/host/lib/gcc/$TARGET/$VERSION"
    rm -rf install-tools include-fixed
    # libgcc comes with debugging information, and so with paths of this build.
    "$TARGET-strip" --strip-debug libgcc.a ./*.o
}
