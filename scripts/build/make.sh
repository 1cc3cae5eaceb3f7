# shellcheck shell=bash
# Packages with nothing but a Makefile. The tools and the prefix are given as
# arguments, since a Makefile may set them; CFLAGS and LDFLAGS come from the
# environment, so that a Makefile can add to them. The recipe's `make` and
# `install` are words as the shell reads them: quotes and $CFLAGS work.

step_build() {
    local -a options
    eval "options=(${recipe_make-})"
    run_make "${options[@]}"
}

step_install() {
    local -a options
    eval "options=(${recipe_install:-install})"
    run_make DESTDIR="$DESTDIR" "${options[@]}"
}

run_make() {
    case $NAME in
    host-*) make PREFIX=/host prefix=/host "$@" ;;
    *) make PREFIX=/usr prefix=/usr CC="$CC" CXX="$CXX" AR="$AR" RANLIB="$RANLIB" STRIP="$STRIP" "$@" ;;
    esac
}
