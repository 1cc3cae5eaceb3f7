# shellcheck shell=bash disable=SC2164
# libstdc++ by its own configure script, outside GCC's tree of builds, with the
# compiler that is already installed. Of the source, only what this reads.

step_unpack() {
    mkdir -p src
    tar -xOf /src/gcc-14_*.tar.gz --wildcards '*/gcc-*-dfsg.tar.xz' |
        tar -xJ -C src --strip-components=1 --no-same-owner \
            --exclude='*/gcc/*/*' --exclude='*/libstdc++-v3/testsuite/*/*'
    cd src
    apply_patches
    # In GCC's tree of builds this is libgcc's part; without it there would be no threads.
    ln -s gthr-posix.h libgcc/gthr-default.h
}

step_configure() {
    local -a options
    eval "options=(${recipe_configure-})"
    mkdir ../obj
    cd ../obj
    # `gcc` compiles C++ as well, and unlike `g++` links without the library that
    # is not there yet, so configure's tests can link.
    ../src/libstdc++-v3/configure --prefix=/usr --build="$BUILD_TRIPLET" --host="$TARGET" \
        --with-gxx-include-dir="/usr/include/c++/$VERSION" CXX="$CC -nostdinc++" "${options[@]}"
    # Some compilers say lib64 here; ours looks in lib as well, as everything else does.
    find . -name Makefile -exec sed -i 's|^glibcxx_toolexeclibdir = .*|glibcxx_toolexeclibdir = /usr/lib|' {} +
}

step_build() {
    make -C ../obj
}

step_install() {
    make -C ../obj DESTDIR="$DESTDIR" install
    rm -rf "${DESTDIR:?}"/usr/{share,lib/*.py}
}
