"""`make setup`: what is missing is installed or named, whatever state the machine's package manager is in."""

import os
import re
import signal
import zipfile

import pytest

from .test_errors import says
from .tree import eventually, read, sha256, write

# A package manager that knows packages and what each brings: `name program`, one a line. What it is asked is written to the log.
APT_GET = """\
echo "apt-get $*" >>{base}/log
[ -e {base}/trouble ] && . {base}/trouble
[ "$1" = install ] || exit 0
for package; do
    while read -r name program; do
        [ "$name" = "$package" ] && install /dev/stdin {base}/bin/$program <<<'#!/bin/sh'
    done <{base}/archive
done
exit 0
"""
APT_CACHE = """\
grep -q "^$2 " {base}/archive && printf '%s:\\n  Installed: (none)\\n  Candidate: 1.0\\n' "$2"
exit 0
"""


@pytest.fixture
def machine(tree):
    """A machine that lacks two programs, has a package manager, and is the user's who is root."""
    write(tree.root / "scripts/host-packages.txt", "# A comment\n\none-package program-1\nother-package program-2 test\n")
    write(tree.base / "archive", "one-package program-1\nother-package program-2\n")
    program(tree, "apt-get", APT_GET.format(base=tree.base))
    program(tree, "apt-cache", APT_CACHE.format(base=tree.base))
    program(tree, "dpkg", f'echo "dpkg $*" >>{tree.base}/log; rm {tree.base}/trouble\n')
    program(tree, "id", "echo 0\n")
    ruff = next(line for line in read(tree.root / "scripts/setup").splitlines() if "local ruff=" in line).split("=")[1]
    program(tree, "ruff", f"echo ruff {ruff}\n", tree.home / ".cache/copal/ruff/bin")
    tree.environment = {"PATH": f"{tree.base}/bin:{os.environ['PATH']}"}
    return tree


def program(tree, name, text, folder=None):
    path = (folder or tree.base / "bin") / name
    write(path, "#!/bin/bash\n" + text)
    path.chmod(0o755)


def trouble(tree, text):
    write(tree.base / "trouble", text)


def asked(tree):
    return read(tree.base / "log").splitlines()


def without(tree, *names):
    """A PATH on which some programs are not."""
    folder = tree.base / "few"
    folder.mkdir()
    for place in reversed(tree.environment["PATH"].split(":")):
        for entry in os.scandir(place) if os.path.isdir(place) else ():
            (folder / entry.name).unlink(missing_ok=True)
            if entry.name not in names:
                (folder / entry.name).symlink_to(entry.path)
    return {"PATH": str(folder)}


def test_installs_what_is_missing_and_nothing_the_second_time(machine):
    done = machine.make("setup")
    assert "installing: one-package other-package" in done.out
    assert asked(machine) == ["apt-get update", "apt-get install -y --reinstall --no-install-recommends one-package other-package"]
    done = machine.make("setup")
    assert done.all == "" and len(asked(machine)) == 2


def test_package_that_this_release_lacks(machine):
    """The others are installed all the same."""
    write(machine.base / "archive", "other-package program-2\n")
    done = machine.fails("setup")
    assert asked(machine)[-1].endswith(" other-package")
    says(done, "there is no one-package.", "could not be installed", "one-package            the program program-1\n")
    assert "program-2" not in done.err


def test_package_that_is_there_in_name_only(machine):
    """As apt-cache has it: one package without a candidate, one that it does not know."""
    write(machine.base / "archive", "")
    program(machine, "apt-cache", "[ $2 != one-package ] || printf 'one-package:\\n  Candidate: (none)\\n'\n")
    says(machine.fails("setup"), "there is no one-package other-package.", "the program program-1", "the program program-2")
    assert asked(machine) == ["apt-get update"]


def test_each_kind_of_proof_is_named(machine):
    lacks = "a program-3\nb /no/file\nc python3:no_module\nd clang++:-fno-such-flag\n"
    has = "have-1 bash\nhave-2 /etc/passwd\nhave-3 python3:json\nhave-4 clang++:-fsanitize=fuzzer\n"
    write(machine.root / "scripts/host-packages.txt", lacks + has)
    done = machine.fails("setup")
    says(done, "the program program-3", "the file /no/file", "no_module, a module of /usr/bin/python3",
         "the libraries of clang++ -fno-such-flag")
    assert "have" not in done.err


def test_no_apt_get(machine):
    """Fedora, Arch: what Debian calls it and what was looked for, in setup as in the check before a build."""
    machine.package("a")
    machine.configure("a")
    environment = without(machine, "apt-get")
    done = machine.fails("setup", env=environment)
    says(done, "no apt-get", "one-package            the program program-1", "other-package          the program program-2")
    done = machine.fails("a", env=environment)
    says(done, "lacks what the build needs", "one-package            the program program-1")
    assert "other-package" not in done.err


def test_not_root_and_no_sudo(machine):
    program(machine, "id", "echo 1000\n")
    done = machine.fails("setup", env=without(machine, "sudo"))
    says(done, "Only root can install packages", "apt-get install --no-install-recommends one-package other-package")


def test_sudo(machine):
    program(machine, "id", "echo 1000\n")
    program(machine, "sudo", f'echo sudo >>{machine.base}/log; exec "$@"\n')
    machine.make("setup")
    assert [line.split()[0] for line in asked(machine)] == ["sudo", "apt-get"] * 2


def test_waits_for_another_apt(machine):
    trouble(machine, f"rm {machine.base}/trouble; echo 'E: Could not get lock /a/lock. It is held by process 7' >&2; exit 100\n")
    done = machine.make("setup")
    assert done.out.count("waiting for another apt") == 1
    assert [line.split()[1] for line in asked(machine)] == ["update", "update", "install"]


def test_an_interrupted_dpkg_is_finished_first(machine):
    trouble(machine, "[ $1 = update ] || { echo 'E: dpkg was interrupted, you must manually run dpkg' >&2; exit 100; }\n")
    machine.make("setup")
    assert [" ".join(line.split()[:3]) for line in asked(machine)] == [
        "apt-get update", "apt-get install -y", "dpkg --configure -a", "apt-get install -y"]


def test_no_network(machine):
    trouble(machine, 'echo "E: no route to the archive" >&2; exit 100\n')
    says(machine.fails("setup"), "E: no route to the archive", "one-package            the program program-1")


def test_two_at_once(machine):
    """The second waits, and finds that there is nothing left to do."""
    trouble(machine, f"while [ -e {machine.base}/trouble ]; do sleep 0.1; done\n")
    first = machine.start("setup")
    eventually(lambda: (machine.base / "log").exists(), "the first one runs apt-get")
    second = machine.start("setup")
    eventually(lambda: "waiting" in read(second.folder / "out"), "the second one waits")
    (machine.base / "trouble").unlink()
    assert [first.wait().code, second.wait().code] == [0, 0]
    assert len(asked(machine)) == 2


def test_what_a_package_starts_does_not_hold_the_lock(machine):
    trouble(machine, f"rm {machine.base}/trouble; sleep 600 >/dev/null 2>&1 & echo $! >{machine.base}/daemon\n")
    machine.make("setup")
    try:
        assert "waiting" not in machine.make("setup").out
    finally:
        os.kill(int(read(machine.base / "daemon")), signal.SIGKILL)


def test_ruff_is_pinned_by_its_hash(machine):
    """Nothing that the index serves under this name and version is taken but what was pinned."""
    ruff = machine.home / ".cache/copal/ruff/bin/ruff"
    version = read(ruff).split()[-1]
    ruff.unlink()
    wheel = machine.base / f"wheels/ruff-{version}-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("ruff.py", "")
    done = machine.make("setup", env={"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheel.parent)})
    says(done, "HASHES", sha256(wheel), "ruff could not be installed")
    pins = re.findall("--hash=sha256:([0-9a-f]{64})", read(machine.root / "scripts/setup"))
    assert len(pins) == 2, "for x86-64 and arm64"
    says(done, *pins)
    assert not ruff.exists()
