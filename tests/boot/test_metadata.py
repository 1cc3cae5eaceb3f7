"""A machine's own configuration in a booted image: from QEMU's firmware files, SMBIOS, disks and a web server."""

import base64
import json
import re
import subprocess
import sys

import pytest
from machine import Machine

NOMAD = """
name = "amber"
server { enabled = true
         bootstrap_expect = 1 }
"""
DOCUMENT = {"nomad": {"entries": {"10-server.hcl": {"content": NOMAD}}}, "probe": {"entries": {"x": {"content": "here\n", "perm": "0600"}}}}
UUID = "6b1e9f2c-3d4a-4b5c-8d6e-7f8091a2b3c4"


def fw_cfg(folder):
    file = folder / "document"
    file.write_text(json.dumps(DOCUMENT))
    return ["-fw_cfg", f"name=opt/copal/metadata,file={file}"]


def smbios(folder):
    del folder
    return ["-smbios", "type=11,value=copal.metadata=" + base64.b64encode(json.dumps(DOCUMENT).encode()).decode()]


def seed(folder, name):
    tree = folder / "seed"
    (tree / name).parent.mkdir(parents=True)
    (tree / name).write_text(json.dumps(DOCUMENT))
    return tree


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


def cidata_cd(folder):
    run("xorriso", "-as", "genisoimage", "-quiet", "-V", "cidata", "-J", "-r", "-o", folder / "disk", seed(folder, "user-data"))
    return ["-drive", f"file={folder / 'disk'},format=raw,if=none,id=cd,readonly=on", "-device", "virtio-scsi-pci",
            "-device", "scsi-cd,drive=cd"]


def cidata_cd_short_names(folder):
    """As genisoimage writes it without -J and -r."""
    run("xorriso", "-as", "genisoimage", "--norock", "-quiet", "-V", "CIDATA", "-o", folder / "disk", seed(folder, "USER_DAT"))
    return virtio(folder)


def linuxkit_cd(folder):
    """What `linuxkit run -data-file` attaches."""
    run("xorriso", "-as", "genisoimage", "--norock", "-quiet", "-V", "config", "-o", folder / "disk", seed(folder, "config"))
    return virtio(folder)


def cidata_fat_root_label(folder):
    """Its label is in the root directory only, as of what Windows and some hypervisors make."""
    tree = seed(folder, "user-data")
    run("truncate", "-s", "64M", folder / "disk")
    run("mkfs.vfat", "-F", "32", "-n", "CIDATA", folder / "disk")
    with open(folder / "disk", "r+b") as disk:
        disk.seek(71)
        disk.write(b"NO NAME    ")
    run("mcopy", "-i", folder / "disk", tree / "user-data", "::/")
    return virtio(folder)


def virtio(folder):
    return ["-drive", f"file={folder / 'disk'},format=raw,if=virtio,readonly=on"]


def config_drive_fat(folder):
    tree = seed(folder, "openstack/latest/user_data")
    (tree / "openstack/latest/meta_data.json").write_text('{"hostname": "basalt.novalocal", "public_keys": {"mine": "ssh-ed25519 AAAA"}}')
    (folder / "disk").touch()
    run("truncate", "-s", "8M", folder / "disk")
    run("mkfs.vfat", "-n", "CONFIG-2", folder / "disk")
    run("mcopy", "-s", "-i", folder / "disk", tree / "openstack", "::/")
    return virtio(folder)


def copal_ext4(folder):
    tree = seed(folder, "metadata.json")
    run("mke2fs", "-q", "-t", "ext4", "-L", "COPAL", "-d", tree, folder / "disk", "8M")
    return virtio(folder)


SOURCES = {"SMBIOS": smbios, "/dev/sr0 (cidata)": cidata_cd, "/dev/vda (config-2)": config_drive_fat, "/dev/vda (copal)": copal_ext4}
DISKS = {"cidata": cidata_cd_short_names, "config": linuxkit_cd, "cidata FAT32": cidata_fat_root_label}


@pytest.mark.parametrize("disk", DISKS)
def test_disks_as_tools_write_them(board, tmp_path, disk):
    with Machine(board("test"), tmp_path, qemu=DISKS[disk](tmp_path)) as machine:
        machine.open_shell()
        machine.wait_for(r"init: metadata: done")
        machine.said(rf"metadata-local: /dev/vda \({disk.split()[0]}\): in /run/config")
        assert machine.shell("cat /run/config/probe/x")[0] == "here\n"


def test_somebody_elses_seed_is_said_and_skipped(board, tmp_path):
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed/user-data").write_text("#cloud-config\nusers: []\n")
    run("xorriso", "-as", "genisoimage", "-quiet", "-V", "cidata", "-J", "-r", "-o", tmp_path / "disk", tmp_path / "seed")
    with Machine(board("test"), tmp_path, qemu=virtio(tmp_path), cmdline="copal.metdata=none") as machine:
        machine.open_shell()
        machine.wait_for(r"init: metadata: done")
        machine.said(r"metadata-local: /dev/vda \(cidata\): is for cloud-init, not for this machine; skipped")
        machine.said(r"init: kernel command line: unknown copal\.metdata; there are copal\.console")
        assert machine.shell("readlink /run/config/nomad; ls /run/config.origin")[0].splitlines()[0] == "/etc/nomad/default"


@pytest.mark.parametrize("source", SOURCES)
def test_a_document_is_found(arch, board, tmp_path, source):
    if source == "SMBIOS" and arch != "x86_64":
        pytest.skip("QEMU gives a machine for ARM its SMBIOS by UEFI only")
    with Machine(board("test"), tmp_path, qemu=SOURCES[source](tmp_path)) as machine:
        machine.open_shell()
        machine.wait_for(r"init: metadata: done")
        machine.said(rf"metadata-local: {re.escape(source)}: in /run/config")
        assert machine.shell("cat /run/config/probe/x; stat -c %a:%u:%g /run/config/probe /run/config/probe/x")[0].splitlines() == [
            "here", "750:0:0", "600:0:0"]
        assert " /dev/vda " not in machine.shell("cat /proc/*/mounts")[0]
        if "config-2" in source:
            said = machine.shell("cat /proc/sys/kernel/hostname /run/config/ssh/authorized_keys")[0]
            assert said.splitlines() == ["basalt", "ssh-ed25519 AAAA"]


def test_nomad_runs_by_its_document(board, tmp_path):
    with Machine(board("test"), tmp_path, qemu=fw_cfg(tmp_path)) as machine:
        machine.open_shell()
        machine.wait_for(r"init: nomad: ready", 240)
        machine.said(r"metadata-local: fw_cfg: in /run/config")
        agent = json.loads(machine.shell("wget -qO- http://127.0.0.1:4646/v1/agent/self; echo")[0])
        assert agent["config"]["NodeName"] == "amber"
        assert not agent["config"]["Client"]["Enabled"] and not agent["config"]["ACL"]["Enabled"], "the defaults are in force as well"


def test_nomad_runs_by_its_defaults(board, tmp_path):
    with Machine(board("test"), tmp_path) as machine:
        machine.open_shell()
        machine.wait_for(r"init: nomad: ready", 240)
        assert machine.shell("readlink /run/config/nomad")[0].strip() == "/etc/nomad/default"
        # It asks for a token, so the default's ACLs are in force.
        assert machine.shell("wget -qO- http://127.0.0.1:4646/v1/agent/self 2>&1")[0].count("403") == 1


def test_a_bad_document_starts_nothing(board, tmp_path):
    (tmp_path / "document").write_text(json.dumps({"nomad": {"entries": {"../../etc/x": {"content": "x"}}}}))
    arguments = ["-fw_cfg", f"name=opt/copal/metadata,file={tmp_path / 'document'}"]
    with Machine(board("test"), tmp_path, qemu=arguments) as machine:
        machine.wait_for(r"init: metadata-local: restart")
        machine.wait_for(r"init: metadata-local: restart")
        assert "init: nomad: exec" not in machine.console
        machine.said(r"metadata-local: fw_cfg: /nomad/entries/\.\.~1\.\.~1etc~1x: is no name for a file")


# What QEMU runs for each connection to 10.0.2.100: an HTTP server of one answer.
RESPONDER = """
import os, sys
lines = []
while (line := sys.stdin.readline().strip()):
    lines.append(line)
with open({log!r}, "a") as log:
    print(lines[0], file=log)
body = open({document!r}).read()
print("HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n%s" % (len(body), body), end="", flush=True)
"""


def test_a_url_is_asked_until_it_answers(board, tmp_path):
    document, log, responder = tmp_path / "document", tmp_path / "log", tmp_path / "responder"
    document.write_text(json.dumps(DOCUMENT))
    responder.write_text(RESPONDER.format(log=str(log), document=str(document)))
    url = "http://10.0.2.100/${mac}/${uuid}?s=${serial}&h=${hostname}"
    with Machine(board("test"), tmp_path, cmdline=f"copal.metadata={url} copal.hostname=amber",
                 netdev=f",guestfwd=tcp:10.0.2.100:80-cmd:{sys.executable} {responder}",
                 qemu=["-uuid", UUID, "-smbios", "type=1,serial=A/1 2"]) as machine:
        machine.open_shell()
        machine.wait_for(r"init: nomad: ready", 240)
        machine.said(r"metadata: http.*: in /run/config")
        mac = machine.shell("cat /sys/class/net/eth0/address")[0].strip()
        assert log.read_text().splitlines() == [f"GET /{mac}/{UUID}?s=A%2F1%202&h=amber HTTP/1.1"]
        assert machine.shell("cat /run/config/probe/x")[0] == "here\n"
