# shellcheck shell=bash disable=SC2154
# The machine image: what the packages put in, the overlays in their order, the host name, and how each service runs.
# With the EROFS layout the initramfs holds init and one compressed file system, which init makes the root.

# The paths of each package, from recipe_contents: "nomad:/usr/bin/nomad nomad:/etc/nomad".
packages() {
    local word
    declare -A paths=()
    for word in ${recipe_contents-}; do paths[${word%%:*}]+=" ${word#*:}"; done
    for word in $(printf '%s\n' "${!paths[@]}" | sort); do echo "package $word /entries/$word/tree${paths[$word]}"; done
}

# The users that recipes name, each with a group of its own. Their numbers are fixed, since they may stand on a disk.
accounts() {
    local word name id twice
    twice=$(for word in ${recipe_accounts-}; do printf '%s\n' "${word%:*}" "${word#*:}"; done | sort | uniq -d)
    [ -z "$twice" ] || { echo "two users have one name or number: $twice"; return 1; }
    for word in root:0 nobody:65534 ${recipe_accounts-}; do
        name=${word%:*} id=${word#*:}
        echo "$name:x:$id:$id:$name:/:/usr/bin/false" >>/build/passwd
        echo "$name:x:$id:" >>/build/group
    done
    echo "file /etc/passwd /build/passwd 0644"
    echo "file /etc/group /build/group 0644"
}

system_spec() {
    local path
    cat "/build/files/packages/image/layout.spec"
    packages
    accounts
    for path in /build/services/*; do
        [ ! -e "$path" ] || echo "file /etc/init/${path##*/} $path 0644"
    done
    for path in $recipe_overlays; do echo "overlay $path /build/overlays/$path"; done
    echo "$CONFIG_HOSTNAME" >/build/hostname
    echo "file /etc/hostname /build/hostname 0644"
    # What was not built from pinned sources: the image, and its manifest, say so.
    if [ "${recipe_overridden-}" ]; then
        tr ' ' '\n' <<<"$recipe_overridden" >/build/overrides
        echo "file /etc/copal/overrides /build/overrides 0644"
    fi
    # No clock is right that says less: the machine's is set forward to this.
    echo "$SOURCE_DATE_EPOCH" >/build/epoch
    echo "file /etc/copal/epoch /build/epoch 0644"
}

boot_spec() {
    cat <<SPEC
dir /dev 0755
node /dev/console c 5 1 0600
file /system.erofs /build/system.erofs 0444
file /init /entries/init/tree/usr/bin/init 0755
SPEC
}

make_image() { mkimage --like /entries/init/tree/usr/bin/init --spec "$1.spec" --manifest "$1.manifest" --sizes "$1.sizes" "${@:2}"; }

# A bad file of a service, a disk or the network must not reach a machine.
check_services() {
    mkdir root
    # Only mkimage makes device nodes without being root.
    tar -xf system.tar -C root --exclude=dev/console
    init --check root/etc/init root
    init --security root/etc/init root >security.txt
}

step_build() {
    system_spec >system.spec
    if [ "${CONFIG_IMAGE_LAYOUT_EROFS-}" ]; then
        make_image system --tar system.tar
        check_services
        # One worker, and nothing of the moment in the superblock: the same bytes everywhere. SOURCE_DATE_EPOCH in its
        # environment would make every inode the larger kind.
        env -u SOURCE_DATE_EPOCH mkfs.erofs --quiet --tar=f -z"zstd,level=$CONFIG_IMAGE_COMPRESSION_LEVEL" -C65536 --workers=1 \
            -T"$SOURCE_DATE_EPOCH" -U00000000-0000-0000-0000-000000000000 /build/system.erofs system.tar
        boot_spec >boot.spec
        make_image boot --cpio initramfs.cpio
        # What is compressed already is only wrapped: the kernel takes zstd.
        zstd --quiet -1 -T1 --rm initramfs.cpio
    else
        # PID 1 starts with a console only if the archive has one.
        echo 'node /dev/console c 5 1 0600' >>system.spec
        make_image system --tar system.tar --cpio initramfs.cpio
        check_services
        zstd --quiet "-$CONFIG_IMAGE_COMPRESSION_LEVEL" -T1 --rm initramfs.cpio
    fi
}

step_install() {
    # What a machine is started with: the kernel, and the firmware that a package has.
    local file boot=()
    for file in /entries/*/tree/boot/*; do
        [ "${file##*/}" != config ] || continue
        install -m 644 "$file" /out/
        boot+=("${file##*/}")
    done
    install -m 644 initramfs.cpio.zst /out/
    install -m 644 system.manifest /out/manifest
    install -m 644 security.txt /out/
    {
        cat system.sizes
        printf '\nAs files:\n'
        (cd /out && stat -c '%s %n' "${boot[@]}" initramfs.cpio.zst)
    } >/out/sizes.txt
    (cd /out && sha256sum "${boot[@]}" initramfs.cpio.zst manifest security.txt sizes.txt >SHA256SUMS)
}
