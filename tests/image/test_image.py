"""What was built by tests/run, looked at from outside."""

import hashlib
import os
import shutil
import subprocess

import pytest
from boards import is_built, output_of

BOARDS = ["nomad_x86_64", "minimal_x86_64", "test_x86_64",
          *filter(is_built, ("nomad_arm64", "minimal_arm64", "test_arm64", "minimal_riscv64"))]
PRODUCTION = [board for board in BOARDS if board.startswith("nomad")]
STARTS_WITH = {"x86_64": ["bzImage"], "arm64": ["Image"], "riscv64": ["Image", "fw_dynamic.bin"]}


def images(board):
    return os.path.join(output_of(board), "images")


def manifest(board):
    """path -> (type, mode, uid, gid, size, what, owner)"""
    with open(os.path.join(images(board), "manifest"), encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines if not line.startswith("#")]
    return {row[0]: row[1:] for row in rows}


@pytest.mark.parametrize("board", BOARDS)
def test_output_is_what_the_readme_says(board):
    arch = board.split("_", 1)[1]
    assert sorted(os.listdir(images(board))) == sorted(
        ["SHA256SUMS", "initramfs.cpio.zst", "manifest", "security.txt", "sizes.txt", *STARTS_WITH[arch]])


@pytest.mark.parametrize("board", BOARDS)
def test_sums_are_right(board):
    with open(os.path.join(images(board), "SHA256SUMS"), encoding="utf-8") as sums:
        for line in sums:
            digest, name = line.split()
            with open(os.path.join(images(board), name), "rb") as data:
                assert hashlib.sha256(data.read()).hexdigest() == digest, name


# What `init --security` says of each service of the production image, at most. A service that needs more says why in its file.
EXPOSURE = {"log": 0.6, "chrony": 1.0, "links": 1.1, "dhcpcd": 1.3, "network": 2.2, "metadata": 3.3, "metadata-local": 5.2,
            "disks": 7.7, "nomad": 8.2}


@pytest.mark.parametrize("board", PRODUCTION)
def test_no_service_is_more_exposed_than_it_was(board):
    with open(os.path.join(images(board), "security.txt"), encoding="utf-8") as lines:
        scores = {line.split()[0]: float(line.split()[1]) for line in lines}
    assert set(scores) <= set(EXPOSURE)
    assert not {name: score for name, score in scores.items() if score > EXPOSURE[name]}


@pytest.mark.parametrize("board", PRODUCTION)
def test_production_has_nothing_to_log_in_to(board):
    names = {os.path.basename(path) for path in manifest(board)}
    assert not names & {"sh", "bash", "ash", "busybox", "getty", "login", "sshd", "dropbear"}


def test_dev_has_a_shell():
    assert "/usr/bin/sh" in manifest("minimal_x86_64")


@pytest.mark.parametrize("board", BOARDS)
def test_nothing_is_setuid_and_all_is_root_s(board):
    for path, (kind, mode, uid, gid, *_) in manifest(board).items():
        assert (uid, gid) == ("0", "0"), path
        assert kind == "l" or int(mode, 8) & 0o6000 == 0, path


# What is quick to build again; the compilers and the kernel take `make <pkg>-rebuild` by hand (docs/benchmarks.md).
@pytest.mark.parametrize("package", ("image", "init", "busybox", "musl"))
def test_another_checkout_builds_the_same_bytes(package, tmp_path):
    """Another path of another length, another umask, time zone, locale and job count: not one byte differs."""
    checkout = tmp_path / "a checkout somewhere else".replace(" ", "-")
    shutil.copytree(".", checkout, ignore=shutil.ignore_patterns("output", ".git"), symlinks=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    environment |= {"TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8", "USER": "somebody", "O": str(tmp_path / "out")}

    def make(*goals):
        command = ["bash", "-c", 'umask 077; exec make "$@"', "make", f"O={tmp_path}/out", *goals]
        return subprocess.run(
            command, cwd=checkout, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

    assert make("minimal_x86_64_defconfig").returncode == 0
    done = make("-j3", f"{package}-rebuild")
    assert done.returncode == 0, done.stdout
    assert "the same bytes as before" in done.stdout, done.stdout
