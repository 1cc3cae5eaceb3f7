# shellcheck shell=bash disable=SC2016
# Meson is Python and needs no building: a folder and a launcher. No compiled
# .pyc files: their bytes are not always the same, and they save half a second.

step_install() {
    mkdir -p "$DESTDIR/host/lib/meson" "$DESTDIR/host/bin"
    cp -R meson.py mesonbuild "$DESTDIR/host/lib/meson/"
    printf '#!/bin/sh\nexec /usr/bin/python3 -B /host/lib/meson/meson.py "$@"\n' >"$DESTDIR/host/bin/meson"
    chmod 755 "$DESTDIR/host/bin/meson"
}
