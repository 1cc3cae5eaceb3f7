# shellcheck shell=bash disable=SC2154,SC2164
# A program with its own copy of Kconfig, as busybox is: $recipe_fragments say what is in it (see kconfig-lib.sh). The
# recipe's `make` and `install` are words as the shell reads them.
# shellcheck source=scripts/build/kconfig-lib.sh
. "$recipe/kconfig-lib.sh"

kconfig_make() {
    make CROSS_COMPILE="$TARGET-" HOSTCC=gcc "$@"
}

# These copies have no olddefconfig, their allnoconfig takes no wishes, and of two lines for one option they believe the first. But
# allnoconfig writes a "no" for every option, even one that is out of reach. So: the fragments, last line first, then all the "no".
# Numbers, texts and choices that nobody gave are asked for, and get their default.
step_configure() {
    kconfig_make -s allnoconfig >../kconfig.log 2>&1 || { cat ../kconfig.log; return 1; }
    grep ' is not set$' .config >../no.config
    kconfig_merge | tac | cat - ../no.config >.config
    kconfig_make -s oldconfig >../kconfig.log 2>&1 < <(yes '') || { cat ../kconfig.log; return 1; }
    kconfig_check
}

step_build() {
    eval "kconfig_make ${recipe_make-}"
}

# An image has one folder for programs. With CONFIG_INSTALL_NO_USR there are two to merge.
step_install() {
    local file
    eval "kconfig_make CONFIG_PREFIX=$DESTDIR ${recipe_install:-install}"
    mkdir -p "$DESTDIR/usr/bin"
    for file in "$DESTDIR"/{bin,sbin}/*; do
        if [ -L "$file" ]; then
            ln -s "$(basename "$(readlink "$file")")" "$DESTDIR/usr/bin/${file##*/}"
        else
            mv "$file" "$DESTDIR/usr/bin/"
        fi
    done
    rm -rf "${DESTDIR:?}"/{bin,sbin}
    # busybox puts this beside its links when it has an init; an image's init is not busybox.
    rm -f "$DESTDIR/linuxrc"
}
