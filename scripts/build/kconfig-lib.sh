# shellcheck shell=bash disable=SC2154,SC2164
# What the kernel and the programs that are configured by Kconfig share; sourced, never run. A configuration is "no" to all
# questions plus fragments, later ones winning. Every option that a fragment asked for and did not get is an error, since
# Kconfig drops it without a word.

# The fragments in one file.
kconfig_merge() {
    (cd "$build/files" && eval "cat $recipe_fragments")
}

# Compares .config in the current folder with what the fragments ask for.
kconfig_check() {
    local source=$PWD
    (cd "$build/files" && eval "KCONFIG_SOURCE='$source' awk -f '$recipe/kconfig-check.awk' '$source/.config' $recipe_fragments")
}
