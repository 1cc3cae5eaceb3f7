"""What did not do its work does not come into the store; what two dependencies own; and building once more beside the entry."""

import os
import shutil
import subprocess

import pytest

from .conftest import lend_bubblewrap
from .test_errors import says
from .tree import EPOCH, Tree, eventually, read, write

GOOD = "step_install() { mkdir -p /out/usr; echo good >/out/usr/good; }\n"

LEAVES = {
    "exit in a step": "step_build() { exit 0; }\n",
    "exit in the last step but one": GOOD + "step_tidy() { exit 0; }\n",
    "exit while the script is read": "exit 0\n",
    "exit in a file that is read": "step_build() { echo 'exit 0' >x; . ./x; }\n",
    "another program": "step_build() { exec true; }\n",
    "killed": "step_build() { kill -9 $$; }\n",
    "ended": "step_build() { kill -TERM $$; }\n",
    "hung up": "step_build() { kill -HUP $$; }\n",
    "exit in a trap": "step_build() { trap 'exit 0' EXIT; false; }\n",
    "exit in a trap of errors": "step_build() { trap 'exit 0' ERR; set -E; false; }\n",
    "errors ignored from here on": "step_build() { set +e; }\n" + GOOD.replace("{ ", "{ false; "),
    "errors ignored in a file that is read": "step_build() { echo 'set +e' >x; . ./x; }\n" + GOOD.replace("{ ", "{ false; "),
    "errors ignored by the script": "set +e\n" + GOOD.replace("{ ", "{ false; "),
    "failures in pipes ignored": "step_build() { set +o pipefail; }\n" + GOOD.replace("{ ", "{ false | cat; "),
    "unset variables ignored": "step_build() { set +u; }\n" + GOOD.replace("{ ", "{ echo $nosuch; "),
    "syntax": "step_build() { if; }\n",
    "open syntax": "step_build() {\n",
    "a step of another name": "step_instal() { mkdir /out/usr; }\n",
    "a step of another name beside a right one": GOOD + "step_instal() { :; }\n",
}


@pytest.fixture(scope="module")
def shared(engine, first_tree, tmp_path_factory):
    """One tree for all: each test has a package of its own."""
    tree = Tree(tmp_path_factory.mktemp("sealing"), engine, first_tree.tools)
    lend_bubblewrap(first_tree.dl, tree.dl)
    subprocess.run(["cp", "-a", first_tree.entry("host-bubblewrap"), tree.store], check=True)
    tree.configure()
    yield tree
    tree.stop_all()


def package(tree, script, name="a", **fields):
    shutil.rmtree(tree.root / "packages/a", ignore_errors=True)
    for entry in tree.entries("a"):
        shutil.rmtree(entry)
    home = tree.package(name, **fields)
    write(home / f"{name}.sh", script)
    return home


# With V=1 the output goes through a pipe.
@pytest.mark.parametrize("how, output", [(how, "V=0") for how in LEAVES] + [("exit in a step", "V=1"), ("killed", "V=1")])
def test_a_build_that_did_not_do_its_work_is_not_sealed(shared, how, output):
    script = LEAVES[how]
    package(shared, script if "step_install" in script else script + GOOD)
    says(shared.fails("a", output), "FAILED  a 1")
    assert shared.entries("a") == []


def test_a_misnamed_step_is_named(shared):
    package(shared, GOOD + LEAVES["a step of another name"])
    says(shared.fails("a"), "a.sh has step_instal, which is no step; there are:", "step_install")


@pytest.mark.parametrize("script", ["", "step_install() { :; }\n", "step_install() { mkdir /out/usr; rmdir /out/usr; }\n"],
                         ids=["no script", "nothing", "removed again"])
def test_an_empty_install(shared, script):
    package(shared, script)
    says(shared.fails("a"), "FAILED  a 1", "it installed nothing: DESTDIR is empty")
    assert shared.entries("a") == []


def test_a_host_package_s_empty_install(shared):
    package(shared, "step_install() { :; }\n", "host-a")
    says(shared.fails("host-a"), "FAILED  host-a 1", "it installed nothing")
    shutil.rmtree(shared.root / "packages/host-a")


@pytest.mark.parametrize("command, words", [
    ("mkfifo /out/usr/pipe", "pipe"),
    ("/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"/out/usr/socket\")'", "socket"),
    ("chmod 1777 /out/usr", "sticky"),
    ("touch /out/usr/x; chmod 2755 /out/usr/x", "setgid"),
], ids=["pipe", "socket", "sticky", "setgid"])
def test_what_no_package_may_install(shared, command, words):
    package(shared, f"step_install() {{ mkdir /out/usr; {command}; }}\n")
    says(shared.fails("a"), "FAILED  a 1", words)
    assert shared.entries("a") == []


def test_odd_names_in_an_install(shared):
    names = ["with blank", "with\\backslash", "with\nend of line", "with\ttab", "'", "$HOME", "*", "-n", "ä¶", " ", "\udcff"]
    script = "step_install() {\n    mkdir -p /out/usr/odd\n    cd /out/usr/odd\n"
    for name in names:
        escaped = "".join(f"\\x{byte:02x}" for byte in os.fsencode(name))
        script += f"    echo x >./$'{escaped}'\n"
    package(shared, script + "}\n")
    shared.make("a")
    assert {path.name for path in (shared.entry("a") / "tree/usr/odd").iterdir()} == set(names)
    done = shared.make("a")
    assert (done.built(), done.err) == ([], "")
    shared.make("a-rebuild")
    shutil.rmtree(shared.entry("a"))


def test_folders_without_permissions_are_sealed_and_removed(shared):
    package(shared, "step_build() { mkdir -p deep/er; touch deep/er/x; chmod 0 deep/er deep; }\n"
                    "step_install() { mkdir /out/usr; echo x >/out/usr/x; chmod 0 /out/usr/x /out/usr; }\n")
    shared.make("a")
    assert (shared.entry("a") / "tree/usr").stat().st_mode & 0o777 == 0o755
    eventually(lambda: not list((shared.store / ".work").glob(".trash.*")), "the work folder is gone")
    shutil.rmtree(shared.entry("a"))


def test_a_process_that_a_build_leaves_behind_does_not_hold_it(shared):
    """A daemon that keeps the log open: the sandbox ends it."""
    package(shared, "step_build() { setsid -f bash -c 'read -r < <(sleep 1000)'; }\n" + GOOD)
    shared.make("a", "V=1", limit=60)
    shutil.rmtree(shared.entry("a"))


@pytest.mark.parametrize("script", ["step_build() { sleep 1000 & }\n",
                                    "step_install() { mkdir /out/usr; (sleep 1; echo x >/out/usr/x) & }\n"], ids=["build", "install"])
def test_a_step_that_does_not_wait_for_its_own(shared, script):
    """What it would have made would be missing from the result."""
    package(shared, script if "step_install" in script else script + GOOD)
    step = script.partition("(")[0].removeprefix("step_")
    says(shared.fails("a"), "FAILED  a 1", f"{step} ends before what it runs in the background (&)", "wait $!")
    assert shared.entries("a") == []


def test_a_step_that_waits_for_its_own(shared):
    package(shared, "step_install() { mkdir /out/usr; (sleep 0.1; echo x >/out/usr/x) & wait $!; }\n")
    shared.make("a")
    assert (shared.entry("a") / "tree/usr/x").read_text() == "x\n"
    shutil.rmtree(shared.entry("a"))


def test_a_build_cannot_reach_its_dependencies_or_files_of_the_engine(shared):
    """It is root in its sandbox."""
    shared.package("host-tool")
    script = """
step_build() {
    for path in /host/share/host-tool /build/../host/share/host-tool /host/share /usr/bin/env; do
        ! chmod 777 "$path" 2>/dev/null && ! rm -rf "$path" 2>/dev/null || echo "reached $path" >>/build/reached
    done
    ! mount -o remount,rw /host 2>/dev/null || echo "remounted" >>/build/reached
    [ ! -e /build/reached ] || { cat /build/reached; false; }
}
"""
    package(shared, script + GOOD, depends="host-tool")
    shared.make("a")
    entry = shared.entry("host-tool")
    assert read(entry / "tree/share/host-tool") == "host-tool\n"
    assert (entry / "tree/share/host-tool").stat().st_mode & 0o777 == 0o644
    shutil.rmtree(shared.entry("a"))
    shutil.rmtree(shared.root / "packages/host-tool")


# Dependencies

def put(path, content, mode=644):
    return f"step_install() {{ install -D -m {mode} /dev/stdin /out/usr/{path} <<<'{content}'; }}\n"


DIFFERENT = {
    "content": (put("lib/x", "one"), put("lib/x", "two")),
    "mode": (put("lib/x", "one"), put("lib/x", "one", 755)),
    "a file and a folder": (put("lib/x", "one"), put("lib/x/y", "two")),
    "a file and a link": (put("lib/x", "one"), "step_install() { mkdir -p /out/usr/lib; ln -s y /out/usr/lib/x; }\n"),
    "two links": tuple(f"step_install() {{ mkdir -p /out/usr/lib; ln -s {to} /out/usr/lib/x; }}\n" for to in "yz"),
    "a folder and a link to one": (put("lib/x/y", "one"), "step_install() { mkdir -p /out/usr/lib/y; ln -s y /out/usr/lib/x; }\n"),
}


@pytest.mark.parametrize("how", DIFFERENT)
def test_two_dependencies_that_own_one_path(tree, how):
    for name, script in zip(("one", "two"), DIFFERENT[how]):
        tree.package(name, script)
    tree.package("a", depends="one two")
    tree.configure("a")
    says(tree.fails("a"), "FAILED  a 1", "two dependencies have different files at /usr/lib/x", "one-1-", "two-1-")
    assert tree.entries("a") == []


def test_two_host_dependencies_that_own_one_path(tree):
    """The sysroot's merge, which comes after it, is right."""
    for name in ("host-one", "host-two"):
        tree.package(name, f"step_install() {{ mkdir -p /out/host/bin; echo {name} >/out/host/bin/x; }}\n")
    tree.package("a", depends="host-one host-two")
    tree.configure("a")
    says(tree.fails("a"), "FAILED  a 1", "two dependencies have different files at /bin/x", "host-one-1-", "host-two-1-")
    assert tree.entries("a") == []


def test_two_dependencies_with_one_and_the_same(tree):
    for name in ("one", "two"):
        tree.package(name, put("lib/x", "same") + f"step_tidy() {{ ln -s x /out/usr/lib/link; mkdir /out/usr/lib/{name}; }}\n")
    tree.package("a", "step_install() { mkdir /out/usr; (cd /sysroot/usr/lib && ls) >/out/usr/seen; cat /sysroot/usr/lib/link; }\n",
                 depends="one two")
    tree.configure("a")
    tree.make("a")
    assert tree.out("a", "/usr/seen").split() == ["link", "one", "two", "x"]


def test_420_dependencies_are_all_seen(tree):
    """More layers than an overlay takes, more words than a command line of mount."""
    names = [f"d{number:03}" for number in range(420)]
    for name in names:
        tree.package(name)
    tree.package("a", "step_install() { mkdir /out/usr; (cd /sysroot/usr/share && ls) >/out/usr/seen; }\n", depends=" ".join(names))
    tree.configure("a")
    tree.make("linux")  # the inputs of all are kept; 420 builds would take minutes, so they are made by hand
    for name, entry in tree.keys().items():
        if name in names:
            folder = tree.store / entry
            write(folder / "tree/usr/share" / name, f"{name}\n")
            shutil.copy(tree.o / "inputs" / entry, folder / "inputs")
            subprocess.run([tree.tools / "store", "seal", folder / "tree", folder], env={"SOURCE_DATE_EPOCH": str(EPOCH)}, check=True)
    assert tree.make("a").built() == ["a"]
    assert tree.out("a", "/usr/seen").split() == names
