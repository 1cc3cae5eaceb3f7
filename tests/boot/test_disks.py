"""Disks: what `init --disk` finds, makes, repairs, refuses and mounts, on real ones in QEMU.

Three boots share one disk that is the machine's own, found by its size: made in the first, which ends by a power cut;
replayed and grown in the second, which has all others too; unmounted cleanly by the power-off of both the second and the third.
"""

import hashlib
import os
import re
import struct
import subprocess
import zlib

import pytest
from machine import Machine

MIB = 1 << 20
OWN = 2048  # MiB, so that its size names it
GROWN = 2560
UUID = "0f2c7a52-3c1e-4e55-9d0c-2f6d1f3b7a11"
SIGNATURE = 0x5F2A9C10  # of the disk with an MBR
PARTUUID = "13121110-1514-1716-1819-1a1b1c1d1e1f"
CMDLINE = f"copal.disk=size:{OWN}M..{GROWN}M copal.disk-format=if-empty"


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def make_blank(path, mib):
    with open(path, "wb") as image:
        image.truncate(mib * MIB)


def make_ext4(path, label, mib=64, content="", uuid="random"):
    """An ext4 with one file, `what`."""
    make_blank(path, mib)
    folder = path + ".d"
    os.makedirs(folder)
    with open(os.path.join(folder, "what"), "w", encoding="utf-8") as file:
        file.write(f"{content or label}\n")
    run("/sbin/mke2fs", "-q", "-t", "ext4", "-b", "4096", "-L", label, "-U", uuid, "-d", folder, path)


def make_gpt(path, sector, label, content):
    """A GPT whose second entry is a partition that holds the file `content`."""
    with open(content, "rb") as file:
        data = file.read()
    first, table, size = MIB // sector, 16384 // sector, (len(data) + 2 * MIB) // sector
    entries, unique = bytearray(16384), bytes(range(sector // 32, sector // 32 + 16))
    struct.pack_into("<16s16sQQQ72s", entries, 128, bytes.fromhex("af3dc60f838472478e793d69d8477de4"), unique,
                     first, first + len(data) // sector - 1, 0, label.encode("utf-16le"))
    with open(path, "wb") as image:
        image.truncate(size * sector)
        # The protective MBR, without which the kernel does not look further.
        whole = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff" * 3, 1, size - 1)
        image.write(bytes(446) + whole + bytes(48) + b"\x55\xaa")
        for here, there, at in ((1, size - 1, 2), (size - 1, 1, size - 1 - table)):
            header = bytearray(struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, here, there,
                                           2 + table, size - 2 - table, bytes(16), at, 128, 128, zlib.crc32(entries)))
            struct.pack_into("<I", header, 16, zlib.crc32(header))
            image.seek(here * sector)
            image.write(header)
            image.seek(at * sector)
            image.write(entries)
        image.seek(MIB)
        image.write(data)


def make_mbr(path, content):
    """An MBR whose second entry, at 1 MiB, is a partition that holds the file `content`."""
    with open(content, "rb") as file:
        data = file.read()
    first, size = MIB // 512, len(data) // 512
    entry = struct.pack("<B3sB3sII", 0, bytes(3), 0x83, bytes(3), first, size)
    with open(path, "wb") as image:
        image.truncate(len(data) + 2 * MIB)
        image.write(bytes(440) + struct.pack("<IH", SIGNATURE, 0) + bytes(16) + entry + bytes(32) + b"\x55\xaa")
        image.seek(MIB)
        image.write(data)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def poke(path, at, data):
    with open(path, "r+b") as image:
        image.seek(at)
        image.write(data)


class Disks:
    """Image files, and the arguments that give them to QEMU. Names are letters: nothing may depend on the order."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.arguments = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def attach(self, name, device):
        self.arguments += ["-drive", f"file={self.path(name)},format=raw,if=none,id={name}", "-device", f"{device},drive={name}"]

    def virtio(self, name, options=""):
        self.attach(name, f"virtio-blk-pci{options}")

    def nvme(self, name):
        self.attach(name, f"nvme,serial={name}")


def is_clean(path):
    """Not only unmounted: nothing is left in the journal, and a full check finds nothing."""
    state = run("/sbin/dumpe2fs", "-h", path)
    assert re.search(r"^Filesystem state: +clean$", state, re.M), state
    assert "needs_recovery" not in state, state
    run("/sbin/e2fsck", "-f", "-n", path)
    return True


@pytest.fixture(name="folder", scope="module")
def disk_folder(arch, tmp_path_factory):
    return tmp_path_factory.mktemp("disks")


def test_an_empty_disk_is_formatted_and_used(board, folder, tmp_path):
    disks = Disks(folder)
    make_blank(disks.path("own"), OWN)
    disks.virtio("own")
    with Machine(board("test"), tmp_path, cmdline=CMDLINE, qemu=disks.arguments) as machine:
        machine.open_shell()
        machine.wait_for(r"init: disks: done")
        machine.said(r"disks: persist: /dev/vda is empty: making an ext4 file system")
        machine.said(r"disks: persist: /dev/vda .*is mounted at /var/persist")
        mounts, _ = machine.shell("grep /var/persist /proc/mounts")
        device, _, kind, options = mounts.split()[:4]
        assert (device, kind) == ("/dev/vda", "ext4")
        assert {"rw", "nosuid", "nodev"} <= set(options.split(","))
        machine.wait_for(r"init: nomad: ready", 240)
        assert machine.shell("test -d /var/persist/nomad/server")[1] == 0, "Nomad keeps its state on the disk"
        assert machine.shell("echo kept >/var/persist/kept && sync /var/persist/kept && echo lost >/var/persist/unsynced")[1] == 0
        machine.cut_power()


def in_second_boot(folder):
    """The disks of the second boot."""
    disks = Disks(folder)
    with open(disks.path("own"), "r+b") as image:
        image.truncate(GROWN * MIB)
    disks.virtio("own")
    make_ext4(disks.path("label"), "data")
    disks.nvme("label")
    make_ext4(disks.path("uuid"), "", uuid=UUID, content="by uuid")
    disks.virtio("uuid")
    for name in ("twin1", "twin2"):
        make_ext4(disks.path(name), "twin")
        disks.virtio(name)
    make_ext4(disks.path("inner"), "inner")
    make_gpt(disks.path("gpt"), 512, "slice", disks.path("inner"))
    disks.virtio("gpt")
    make_ext4(disks.path("inner4"), "inner4")
    make_gpt(disks.path("gpt4"), 4096, "slice4", disks.path("inner4"))
    disks.virtio("gpt4", ",logical_block_size=4096,physical_block_size=4096")
    # What must not be formatted: something known, something unknown in the last MiB, a table.
    make_blank(disks.path("luks"), 100)
    poke(disks.path("luks"), 0, b"LUKS\xba\xbe\0\2")
    disks.virtio("luks")
    make_blank(disks.path("unknown"), 110)
    poke(disks.path("unknown"), 110 * MIB - 1, b"\1")
    disks.virtio("unknown")
    # A wrong count, which can be put right without a decision; an inode table that is gone, which cannot.
    make_ext4(disks.path("miscounted"), "miscounted")
    run("/sbin/debugfs", "-w", "-R", "set_super_value free_blocks_count 7", disks.path("miscounted"))
    run("/sbin/debugfs", "-w", "-R", "set_super_value state 0", disks.path("miscounted"))
    disks.virtio("miscounted")
    make_ext4(disks.path("ruined"), "ruined")
    table = int(re.search(r"Inode table at (\d+)", run("/sbin/dumpe2fs", disks.path("ruined"))).group(1))
    poke(disks.path("ruined"), table * 4096, bytes(4096))
    run("/sbin/debugfs", "-w", "-R", "set_super_value state 0", disks.path("ruined"))
    disks.virtio("ruined")
    # Every write fails: the disk is taken away as soon as something is done with it.
    make_blank(disks.path("dying"), 120)
    disks.arguments += ["-blockdev", f"driver=file,filename={disks.path('dying')},node-name=dyingfile",
                        "-blockdev", '{"driver": "blkdebug", "node-name": "dying", "image": "dyingfile", '
                                     '"inject-error": [{"event": "none", "iotype": "write", "errno": 5}]}',
                        "-device", "virtio-blk-pci,drive=dying"]
    # A file system in a partition whose table was wiped; two that the next tests format, one of them begun and cut off.
    make_blank(disks.path("wiped"), 140)
    with open(disks.path("inner"), "rb") as file:
        poke(disks.path("wiped"), MIB, file.read())
    disks.virtio("wiped")
    make_blank(disks.path("scratch"), 150)
    disks.virtio("scratch")
    make_blank(disks.path("begun"), 160)
    poke(disks.path("begun"), 5 * MIB, b"begun")
    poke(disks.path("begun"), 160 * MIB - 4096, b"Copal makes a file system here: data\n")
    disks.virtio("begun")
    make_mbr(disks.path("mbr"), disks.path("inner"))
    disks.virtio("mbr")
    # A first block that cannot be read.
    make_blank(disks.path("deaf"), 130)
    disks.arguments += ["-blockdev", f"driver=file,filename={disks.path('deaf')},node-name=deaffile",
                        "-blockdev", '{"driver": "blkdebug", "node-name": "deaf", "image": "deaffile", '
                                     '"inject-error": [{"event": "none", "iotype": "read", "errno": 5, "sector": 8}]}',
                        "-device", "virtio-blk-pci,drive=deaf"]
    # One that comes later.
    make_ext4(disks.path("late"), "late")
    disks.arguments += ["-device", "pcie-root-port,id=later,chassis=1,slot=1",
                        "-drive", f"file={disks.path('late')},format=raw,if=none,id=late"]
    return disks


@pytest.fixture(name="machine", scope="module")
def second_boot(board, folder, tmp_path_factory):
    disks = in_second_boot(folder)
    with Machine(board("test"), tmp_path_factory.mktemp("second"), cmdline=CMDLINE, qemu=disks.arguments) as machine:
        machine.disks = disks
        machine.open_shell()
        machine.wait_for(r"init: disks: done")
        yield machine


def mount(machine, text, name="data"):
    """Runs `init --disk` with one more disk file: what it says, and its exit code. The machine's own disk is there already."""
    lines = " ".join(f"'{line}'" for line in text.splitlines())
    return machine.shell(f"mkdir -p /run/config/disks; printf '%s\\n' {lines} >/run/config/disks/{name}; init --disk; "
                         f"code=$?; rm /run/config/disks/{name}; (exit $code)")


def test_after_a_power_cut_the_journal_is_replayed_and_nothing_is_lost(machine):
    machine.said("recovering journal")
    assert machine.shell("cat /var/persist/kept")[0] == "kept\n"


def test_a_file_system_grows_to_its_disk(machine):
    machine.said(f"grown from {OWN - 1} to {GROWN - 1} MiB")
    size, _ = machine.shell("stat -f -c '%b %S' /var/persist")
    blocks, block = map(int, size.split())
    assert blocks * block > (OWN + 200) * MIB, "what it keeps for itself is left out of this"


def test_running_again_changes_nothing(machine):
    before, _ = machine.shell("cat /proc/mounts")
    said, code = machine.shell("init --disk")
    assert (said, code) == ("", 0)
    assert machine.shell("cat /proc/mounts")[0] == before


@pytest.mark.parametrize("find, what", [
    ("label data", "data"), (f"uuid {UUID.upper()}", "by uuid"), ("partlabel slice", "inner"), (f"partuuid {PARTUUID}", "inner"),
    (f"partuuid {SIGNATURE:08X}-02", "inner"),
    ("label inner4", "inner4"), ("partlabel slice4", "inner4"), ("path /dev/nvme0n1", "data"), ("size 60M..64M", None)])
def test_a_disk_is_found(machine, find, what):
    said, code = mount(machine, f"find = {find}\nmount = /var/persist/data\noptions = noexec")
    if what is None:  # several have that size
        assert code == 1 and "are both" in said, said
        return
    assert code == 0, said
    mounts, _ = machine.shell("grep /var/persist/data /proc/mounts")
    assert {"nosuid", "nodev", "noexec"} <= set(mounts.split()[3].split(","))
    assert machine.shell("cat /var/persist/data/what")[0] == f"{what}\n"
    assert machine.shell("umount /var/persist/data")[1] == 0


def test_of_two_that_fit_none_is_taken(machine):
    said, code = mount(machine, "find = label twin\nmount = /var/persist/data")
    assert code == 1
    assert re.search(r"data: /dev/vd[a-z] and /dev/vd[a-z] are both twin: neither is touched", said), said
    assert "/var/persist/data" not in machine.shell("cat /proc/mounts")[0]


def test_a_missing_disk_is_an_error_unless_it_is_optional(machine):
    said, code = mount(machine, "find = label nowhere\nmount = /var/persist/data\nwait = 1s")
    assert code == 1 and "data: there is no disk nowhere\n" in said, said
    assert "data: there is /dev/vda (2560 MiB: ext4)\n" in said, said
    said, code = mount(machine, "find = label nowhere\nmount = /var/persist/data\nwait = 0s\noptional = yes")
    assert code == 0 and "there is no disk nowhere" in said, said


@pytest.mark.parametrize("size, why", [(100, "has LUKS: it is not formatted"), (110, "has something unknown at byte 115343359"),
                                       (130, "has what cannot be read"), (140, "is not empty but has ext4 'inner' at byte 10")])
def test_what_is_not_empty_is_not_formatted(machine, size, why):
    said, code = mount(machine, f"find = size {size}M..{size}M\nmount = /var/persist/data\nformat = if-empty")
    assert code == 1 and why in said, said


def test_what_was_refused_is_untouched(machine):
    disks = machine.disks
    for name in ("luks", "unknown"):
        with open(disks.path(name), "rb") as image:
            data = image.read()
        assert sum(byte != 0 for byte in data.strip(b"\0")) <= 8, name


def test_nothing_is_formatted_unless_asked(machine):
    said, code = mount(machine, "find = size 120M..120M\nmount = /var/persist/data")
    assert code == 1 and "format = if-empty" in said, said


def test_a_disk_that_fails_in_the_middle_is_an_error(machine):
    said, code = mount(machine, "find = size 120M..120M\nmount = /var/persist/data\nformat = if-empty")
    assert code == 1 and "cannot be written: I/O error" in said, said


SCRATCH = "find = size 150M..150M\nmount = /var/persist/data\nformat = each-boot"


def test_a_scratch_disk_is_formatted_each_time(machine):
    """Whatever state it was left in: even if all that tells of a file system is gone."""
    for state in ("is empty", "is for one boot", "is for one boot"):
        said, code = mount(machine, SCRATCH)
        assert code == 0, said
        device = re.search(rf"data: (/dev/vd[a-z]) {state}: making an ext4 file system", said).group(1)
        assert machine.shell("ls /var/persist/data")[0] == "lost+found\n"
        said, code = mount(machine, SCRATCH)
        assert (said, code) == ("", 0), "what is mounted stays as it is"
        assert machine.shell("echo gone >/var/persist/data/file && umount /var/persist/data")[1] == 0
        if state != "is empty":
            assert machine.shell(f"dd if=/dev/urandom of={device} bs=1M count=3 && sync")[1] == 0


def test_a_scratch_disk_is_that_of_one_file(machine):
    said, code = mount(machine, SCRATCH, "other")
    assert code == 1 and "is not empty but has" in said and "it is not formatted" in said, said


def test_only_an_empty_disk_becomes_a_scratch_disk(machine):
    said, code = mount(machine, "find = partlabel slice\nmount = /var/persist/data\nformat = each-boot")
    assert code == 1 and "is not empty but has ext4 'inner': it is not formatted" in said, said


def test_a_disk_that_was_not_made_to_the_end_is_made_again(machine):
    said, code = mount(machine, "find = size 160M..160M\nmount = /var/persist/data\nformat = if-empty", "other")
    assert code == 1 and "has something unknown at byte 5242880" in said, said
    text = "find = size 160M..160M\nmount = /var/persist/data\nformat = if-empty\nlabel = again"
    said, code = mount(machine, text)
    assert code == 0 and "was not made to the end: making an ext4 file system" in said, said
    assert machine.shell("echo kept >/var/persist/data/kept && umount /var/persist/data")[1] == 0
    said, code = mount(machine, text)
    assert code == 0 and "making" not in said, said
    assert machine.shell("cat /var/persist/data/kept && umount /var/persist/data") == ("kept\n", 0)


def test_small_damage_is_repaired(machine):
    said, code = mount(machine, "find = label miscounted\nmount = /var/persist/data")
    assert code == 0 and "had errors, which are corrected" in said, said
    assert machine.shell("umount /var/persist/data")[1] == 0
    said, code = mount(machine, "find = label miscounted\nmount = /var/persist/data")
    assert code == 0 and "errors" not in said, said
    assert machine.shell("umount /var/persist/data")[1] == 0


def test_large_damage_is_left_to_people(machine):
    said, code = mount(machine, "find = label ruined\nmount = /var/persist/data")
    assert code == 1 and "cannot be repaired without a decision (e2fsck: exit code 4): it is not mounted" in said, said
    assert "boot once with copal.disk-repair=data\n" in said, said
    assert "/var/persist/data" not in machine.shell("cat /proc/mounts")[0]


def with_argument(machine, argument, text):
    """As if it were on the kernel's command line."""
    machine.shell(f'echo "$(cat /proc/cmdline) {argument}" >/run/cmdline; mount --bind /run/cmdline /proc/cmdline')
    said, code = mount(machine, text)
    assert machine.shell("umount /proc/cmdline")[1] == 0
    return said, code


def test_the_command_line_lets_e2fsck_decide(machine):
    said, code = with_argument(machine, "copal.disk-repair=data", "find = label ruined\nmount = /var/persist/data")
    assert code == 0 and "repaired as copal.disk-repair asks" in said, said
    assert machine.shell("umount /var/persist/data")[1] == 0
    said, code = mount(machine, "find = label ruined\nmount = /var/persist/data")
    assert code == 0 and "errors" not in said, said
    assert machine.shell("umount /var/persist/data")[1] == 0


def test_the_command_line_gives_up_what_cannot_be_mounted(machine):
    wiped = "find = size 140M..140M\nmount = /var/persist/data\n"
    said, code = with_argument(machine, "copal.disk-erase=data", wiped)
    assert code == 1 and "copal.disk-erase: error: the file of 'data' says `format = no`" in said, said
    for again in (False, True):
        said, code = with_argument(machine, "copal.disk-erase=data", wiped + "format = if-empty\nlabel = new")
        assert code == 0 and ("is erased as copal.disk-erase asks" in said) == (not again), said
        assert machine.shell("echo kept >>/var/persist/data/kept; cat /var/persist/data/kept")[0] == "kept\n" * (1 + again)
        assert machine.shell("umount /var/persist/data")[1] == 0


def test_a_name_on_the_command_line_that_is_no_file_is_an_error(machine):
    said, code = with_argument(machine, "copal.disk-repair=date", "find = label data\nmount = /var/persist/data")
    assert code == 1 and "copal.disk-repair: error: there is no disk file 'date'" in said, said
    assert machine.shell("umount /var/persist/data")[1] == 0, "what has nothing to do with it is mounted"


def test_the_wrong_kind_is_refused(machine):
    said, code = mount(machine, "find = label data\nmount = /var/persist/data\ntype = xfs")
    assert code == 1 and "has ext4 'data', which is another `type`" in said, said


def test_a_disk_in_use_is_refused(machine):
    said, code = mount(machine, "find = path /dev/vda\nmount = /var/persist/data")
    assert code == 1 and "/dev/vda is in use" in said, said


def test_no_link_leads_elsewhere(machine):
    machine.shell("ln -s /run /var/persist/link")
    said, code = mount(machine, "find = label data\nmount = /var/persist/link/data")
    assert code == 1 and "Symbolic link loop" in said, said
    machine.shell("rm /var/persist/link")


def test_a_disk_may_come_later(machine):
    machine.shell("mkdir -p /run/config/disks; printf '%s\\n' 'find = label late' 'mount = /var/persist/data' 'wait = 90s' "
                  ">/run/config/disks/data; init --disk >/run/late 2>&1 & pid=$!")
    # It is waiting when it sleeps in poll.
    machine.shell("until grep -q poll /proc/$pid/wchan || ! test -d /proc/$pid; do :; done")
    machine.monitor("device_add", driver="virtio-blk-pci", id="late", drive="late", bus="later")
    _, code = machine.shell("wait $pid")
    said, _ = machine.shell("cat /run/late; rm /run/config/disks/data")
    assert code == 0, said
    assert machine.shell("cat /var/persist/data/what")[0] == "late\n"
    assert machine.shell("umount /var/persist/data")[1] == 0


def test_a_disk_may_be_unplugged_in_use(machine):
    """What is on it is lost, and nothing else: neither the machine, nor what is mounted beside it, nor its end."""
    said, code = mount(machine, "find = label late\nmount = /var/persist/data")
    assert code == 0, said
    machine.shell("exec 9>/var/persist/data/held; echo begun >&9")
    machine.wait_for_event("DEVICE_DELETED", lambda tell: tell("device_del", id="late"))
    assert machine.shell("echo more >&9 && sync /var/persist/data/held")[1] != 0
    said, code = mount(machine, "find = label late\nmount = /var/persist/data\nwait = 0s")
    assert code == 1 and "data: there is no disk late\n" in said, said
    machine.shell("exec 9>&-; umount /var/persist/data")
    assert "/var/persist/data" not in machine.shell("cat /proc/mounts")[0]
    assert machine.shell("echo here >/var/persist/still && sync /var/persist/still")[1] == 0


def test_power_off_leaves_it_clean(machine):
    machine.shell_stream.write("kill -TERM 1\n")
    machine.shell_stream.flush()
    assert machine.wait_for_end(90) == 0
    assert is_clean(machine.disks.path("own"))


def test_what_needs_a_missing_disk_waits_for_it(board, folder, tmp_path):
    """The third boot: the machine's own disk is there, but another is named."""
    disks = Disks(folder)
    disks.virtio("own")
    before = digest(disks.path("own"))
    with Machine(board("test"), tmp_path, cmdline="copal.disk=LABEL=nowhere", qemu=disks.arguments) as machine:
        machine.open_shell()
        machine.wait_for(r"init: disks: restart")
        machine.said(r"disks: persist: there is no disk nowhere")
        machine.wait_for(r"init: disks: restart")
        assert "init: nomad: exec" not in machine.console
        machine.shell_stream.write("kill -TERM 1\n")
        machine.shell_stream.flush()
        assert machine.wait_for_end(90) == 0
    assert digest(disks.path("own")) == before
