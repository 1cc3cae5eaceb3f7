"""Several at once: makes in one output folder, waiting, shells, job slots of what was killed; and makes that only look."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from .test_hermetic import PATCH, Terminal
from .test_jobs import GATED, MEETING, TAKE_JOBS, complaints_of_make
from .tree import GATE, Done, eventually, read, write

# Several in one folder

def test_three_makes_in_one_output_folder(tree):
    for name in "abcd":
        tree.package(name, f"step_install() {{ mkdir -p /out/usr; head -c 3M /dev/zero >/out/usr/{name}; }}\n",
                     depends="" if name == "a" else "a")
    tree.configure(*"abcd")
    done = [make.wait() for make in [tree.start("all") for _ in range(3)]]
    assert [each.code for each in done] == [0, 0, 0], [each.err for each in done]
    assert sorted(sum((each.built() for each in done), [])) == [*"abcd", "image", "init", "linux"], "each is built once"
    assert all(complaints_of_make(each) == [] for each in done)
    assert read(tree.o / "images/packages").split() == [*"abcd", "init", "linux"]
    assert sorted(path.name for path in tree.o.iterdir() if path.name.startswith("images")) == ["images", "images.lock"]
    assert tree.make().built() == []


def test_a_make_that_configures_beside_one_that_builds(tree):
    """The second one's configuration is not the first one's any more; what the first one builds is what it read."""
    tree.package("a", GATED, configure="--colour=$(CONFIG_COLOUR)")
    tree.configure("a", COLOUR='"red"')
    make = tree.start("a")
    tree.awaits("a", "waiting")
    red = tree.keys()["a"]
    tree.configure("a", COLOUR='"blue"')
    tree.open_gate("a")
    assert make.wait().code == 0
    assert [path.name for path in tree.entries("a")] == [red]
    assert "--colour=red" in read(tree.entry("a") / "inputs")


def test_the_second_make_says_what_it_waits_for(tree, new_tree):
    other = new_tree("other", checkout="elsewhere")
    other.store = tree.store
    for each in (tree, other):
        each.package("a", GATED)
        each.configure("a")
    first = tree.start("a")
    tree.awaits("a", "waiting")
    second = other.start("a")
    eventually(lambda: "WAIT" in read(second.folder / "out"), "the second make says that it waits")
    line = next(line for line in read(second.folder / "out").splitlines() if "WAIT" in line)
    assert "a 1 " in line and f"is being built by make in {tree.root} (process {first.process.pid})" in line
    tree.open_gate("a")
    assert [first.wait().code, second.wait().code] == [0, 0]


def test_rebuild_and_build_of_one_package_at_once(tree):
    tree.package("a", GATED)
    tree.configure("a")
    first = tree.start("a")
    tree.awaits("a", "waiting")
    second = tree.start("a-rebuild")
    eventually(lambda: "WAIT" in read(second.folder / "out") + read(second.folder / "err"), "the second waits")
    tree.open_gate("a")
    assert first.wait().code == 0
    tree.awaits("a", "waiting")
    eventually(lambda: next((tree.store / ".work").glob("a-*/build/gate"), None), "the second has begun")
    tree.open_gate("a")
    done = second.wait()
    assert done.code == 0 and "the same bytes as before" in done.out, done.all


@pytest.mark.parametrize("goals", [("a", "a-rebuild"), ("a-rebuild", "a"), ("a-rebuild", "b"), ("a", "a"), ("a-extract", "a"),
                                   ("a-patch", "a-configure", "a"), ("a-source", "a")], ids=" ".join)
def test_several_goals_of_one_package(tree, goals):
    """One after the other or all at once; all come to what they say."""
    pin = tree.source("a.tar", {"x": "x"})
    tree.package("a", source="https://example.invalid/a.tar", sha256=pin)
    tree.package("b", depends="a")
    tree.configure("a", "b")
    done = tree.make("-j4", *goals)
    assert complaints_of_make(done) == []
    assert len(tree.entries("a")) == (1 if {"a", "a-rebuild"} & set(goals) else 0)


# Shells

def test_a_shell_holds_nothing_that_others_need(tree):
    tree.package("a", "step_unpack() { mkdir -p src; echo text >src/x; cd src; apply_patches; }\n")
    tree.package("b", depends="a")
    tree.configure("b")
    shell = Terminal(tree, "a-shell")
    shell.expect("SHELL")
    shell.send("cd /build/src && echo files=$(echo *)")
    shell.expect("files=x")
    assert tree.make("b", limit=120).built() == ["a", "b"]
    assert tree.make("a-rebuild", limit=120).built() == ["a"]
    assert tree.fails("c-shell").code == 2
    assert "0 entries" in tree.make("store-gc").out
    shell.send("cat x && echo still=$(cat x)")
    shell.expect("still=text")
    shell.send("exit")
    assert shell.wait() == 0


def test_two_shells_of_one_package(tree):
    tree.package("a", "step_unpack() { mkdir -p src; echo text >src/x; cd src; }\n")
    tree.configure("a")
    shells = []
    for _ in range(2):
        shells.append(Terminal(tree, "a-shell"))
        shells[-1].expect("SHELL")
    for number, shell in enumerate(shells):
        shell.send(f"cd /build/src && echo n{number}=$(cat x)")
        shell.expect(f"n{number}=text")
    for shell in shells:
        shell.send("exit")
        assert shell.wait() == 0


@pytest.fixture
def patched(tree):
    """Package a has a source whose x says `source`, or `patched` with its patch."""
    home = tree.package("a", "step_configure() { touch configured; }\n", source="https://example.invalid/a.tar",
                        sha256=tree.source("a.tar", {"x": "source\n"}))
    write(home / "a-change.patch", PATCH)
    tree.configure("a")
    return tree


@pytest.mark.parametrize("goals", [["a-extract"], ["a-patch"], ["a-configure"], ["a"], ["a-extract", "a-patch", "a"]], ids=" ".join)
def test_trees_made_anew_beside_an_open_shell(patched, goals):
    """The first one failed; it was to go to where its own was."""
    shell = Terminal(patched, "a-shell")
    shell.expect("SHELL")
    shell.send("cd /build/src && echo mine >mine && echo one=$(cat x)")
    shell.expect("one=patched")
    for goal in goals:
        patched.make(goal)
    shell.send("echo two=$(cat x mine)")
    shell.expect("two=patched mine")
    shell.send("exit")
    assert shell.wait() == 0
    if goals[-1] != "a":
        (kept,) = (patched.store / ".work").glob("*.tree")
        assert not (kept / "build/src/mine").exists()
        assert read(kept / "build/src/x") == ("source\n" if goals == ["a-extract"] else "patched\n")
    assert "GC" in patched.make("store-gc").out
    assert list((patched.store / ".work").iterdir()) == []


@pytest.mark.parametrize(("goals", "x"), [(["a-extract", "a-shell"], "source"), (["a-shell", "a-extract"], "source"),
                                          (["a-patch", "a-shell"], "patched")], ids=str)
def test_a_shell_and_what_it_is_to_open(patched, goals, x):
    """At once, by -j4; the shell opened a tree of its own."""
    terminal = Terminal(patched, "-j4", *goals)
    terminal.expect("SHELL")
    assert f"  {goals[0 if goals[1] == 'a-shell' else 1][2:].upper()} " in terminal.text
    terminal.send("echo x=$(cat /build/src/x); exit")
    terminal.expect(f"x={x}")
    assert terminal.wait() == 0
    (kept,) = (patched.store / ".work").iterdir()
    assert read(kept / "build/src/x") == x + "\n"


# Work folders

# As mv was seen to fail, when what it was to replace had gone between two of its looks at it.
UNLUCKY_MV = """\
#!/bin/bash
to=${!#}
if [ -d "$to" ] && [[ $to == *.trash.* ]]; then
    rmdir "$to"
    echo "mv: cannot overwrite non-directory '$to' with directory" >&2
    exit 1
fi
exec /bin/mv "$@"
"""


def test_a_build_removes_its_folder_beside_another_that_removes_all(tree):
    """Each has its own removed, and with it whatever an earlier one left: one of a hundred builds failed."""
    write(tree.base / "bin/mv", UNLUCKY_MV)
    (tree.base / "bin/mv").chmod(0o755)
    tree.package("a")
    tree.package("b", "step_build() { false; }\n")
    tree.configure("a", "b")
    environment = {"PATH": f"{tree.base}/bin:{os.environ['PATH']}"}
    done = tree.make("a", env=environment)
    assert done.built() == ["a"] and done.err == ""
    for _ in range(2):  # the second has the tree of the first to remove
        assert "mv:" not in tree.fails("b", env=environment).err


# Job slots

def of_sandbox(tree, name):
    """The processes that run in the sandbox of a build, the outermost first."""
    work = str(next((tree.store / ".work").glob(f"{name}-*"))).encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"bwrap") and any(word.startswith(work) for word in words):
                found.append(int(folder.name))
    return sorted(found)


def kill_sandbox(tree, name):
    for process in eventually(lambda: of_sandbox(tree, name), f"{name} runs in a sandbox"):
        with contextlib.suppress(ProcessLookupError):  # it went with the first one
            os.kill(process, signal.SIGKILL)


# Make gives a build's own slot back a moment after it has said that the build failed: so it is asked for more than once.
TAKES_THREE = "step_build() {\n" + GATE + """
for ((i = 0; i < 60 && JOBS < 3; i++)); do take_jobs; done
echo "JOBS=$JOBS"
}
"""


@pytest.mark.parametrize("output", ["V=0", "V=1"])
def test_slots_of_a_killed_build_are_there_for_others(tree, output):
    tree.package("a", "step_build() { take_jobs; echo \"JOBS=$JOBS\"\n" + GATE + "}\n")
    tree.package("b", TAKES_THREE)
    tree.configure("a", "b")
    make = tree.start("-k", "-j3", output, "a", "b")
    for name in "ab":
        tree.awaits(name, "waiting")
    assert "JOBS=2" in tree.log("a").splitlines()
    kill_sandbox(tree, "a")
    eventually(lambda: "FAILED" in read(make.folder / "err"), "the build of a failed")
    tree.open_gate("b")
    done = make.wait()
    assert done.code == 2
    assert "JOBS=3" in tree.log("b").splitlines(), tree.log("b")
    assert complaints_of_make(done, tree.log("a"), tree.log("b")) == []


INNER = r"""
step_build() {
    mkfifo /build/gate
    printf '%s\n' 'all: a b' 'a b: ; @echo runs-$@; read -r word </build/gate' >Makefile
    make
}
"""


@pytest.mark.xfail(strict=True, reason="what an inner make took is known to it alone, and KILL lets it give nothing back")
def test_slots_that_an_inner_make_took_come_back_when_it_is_killed(tree):
    tree.package("a", INNER)
    tree.package("b", TAKES_THREE)
    tree.configure("a", "b")
    make = tree.start("-k", "-j3", "a", "b")
    tree.awaits("b", "waiting")
    for target in "ab":
        tree.awaits("a", f"runs-{target}")
    kill_sandbox(tree, "a")
    eventually(lambda: "FAILED" in read(make.folder / "err"), "the build of a failed")
    tree.open_gate("b")
    done = make.wait()
    assert "JOBS=3" in tree.log("b").splitlines(), tree.log("b")
    assert complaints_of_make(done, tree.log("a"), tree.log("b")) == []


def run_build_entry(tree, name, makeflags):
    """As a make would run it, of whatever version."""
    entry = tree.keys()[name]
    environment = tree.env() | {"V": "0", "NEED_MB": "1", "SOURCE_DATE_EPOCH": "1735689600", "MAKEFLAGS": makeflags,
                                "BUBBLEWRAP": str(tree.entry("host-bubblewrap") / "tree/bin/bwrap")}
    done = subprocess.run(["scripts/build-entry", "build", name, entry], cwd=tree.root, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False, timeout=120)
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("flags", [" -j3 --jobserver-auth=fifo:{}", "rR -j3 --jobserver-auth=fifo:{} --no-print-directory -- V=1",
                                   "krR --no-print-directory --jobserver-auth=fifo:{} -j3"])
def test_the_job_server_of_a_newer_make(tree, flags):
    """Make 4.4 has a named pipe, which is not in the sandbox, and of which the make in there may know nothing."""
    tree.package("a", MEETING)
    tree.package("b", TAKE_JOBS)
    tree.configure("a", "b")
    tree.make("linux")
    pipe = tree.base / "GMfifo1"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    os.write(held, b"++")
    for name in "ab":
        done = run_build_entry(tree, name, flags.format(pipe))
        assert done.code == 0, done.err + tree.log(name)
        assert complaints_of_make(done, tree.log(name)) == []
    assert "fifo" not in tree.log("a")
    assert "JOBS=3" in tree.log("b").splitlines()
    assert os.read(held, 10) == b"++", "all slots are back"
    os.close(held)


@pytest.mark.parametrize("flags", ["", "rR --no-print-directory", " --jobserver-auth=fifo:{base}/nosuch -j3",
                                   " -j3 --jobserver-auth=77,78"])
def test_without_a_job_server_that_works(tree, flags):
    """`+` was forgotten, say: one job, and no complaint that fails a build."""
    tree.package("b", TAKE_JOBS)
    tree.configure("b")
    tree.make("linux")
    done = run_build_entry(tree, "b", flags.format(base=tree.base))
    assert not (tree.base / "nosuch").exists()
    assert done.code == 0, done.err + tree.log("b")
    assert "JOBS=1" in tree.log("b").splitlines()


# Only looking

LOOKING = [("-n",), ("-n", "a"), ("-n", "a-rebuild"), ("-n", "a-shell"), ("-n", "a-extract"), ("-n", "source"), ("-n", "clean"),
           ("-n", "distclean"), ("-n", "clean", "all"), ("-q",), ("-q", "a"), ("-q", "source"), ("-t",), ("-t", "a"), ("-t", "source"),
           ("-t", "clean"), ("-n", "run"), ("-t", "run"), ("-n", "a", "V=2"), ("-kn", "a", "-j7"), ("--dry-run", "a"),
           ("--touch",), ("--question",), ("-n", "store-gc"), ("-t", "store-gc"), ("-n", "savedefconfig"), ("-t", "savedefconfig"),
           ("show-info",), ("show-targets",), ("show-vars",), ("why-a",), ("b-show-depends",), ("a-show-rdepends",), ("help",),
           ("list-defconfigs",), ("show-info", "why-a"), ("show-info", "V=2"), ("nosuch",), ("-n", "nosuch")]


@pytest.fixture(params=["nothing was built", "all was built", "the store is damaged"])
def looked_at(tree, request):
    pin = tree.source("a.tar", {"x": "x"})
    lost = tree.source("lost.tar", {"x": "y"})
    home = tree.package("a", source="https://example.invalid/a.tar", sha256=pin, files="packages/a/data")
    write(home / "data", "data\n")
    tree.package("b", depends="a")
    tree.package("c", source="https://example.invalid/lost.tar", sha256=lost)
    (tree.dl / lost / "lost.tar").rename(tree.dl / lost / ".lost.tar.part")
    tree.configure("a", "b")
    if request.param == "nothing was built":
        tree.configure("a", "b", "c")
        tree.make("host-bubblewrap")  # config.mk is checked
    else:
        tree.make()
        if request.param == "the store is damaged":
            write(tree.entry("a") / "tree/usr/share/a", "other\n")
            (tree.o / "images/packages").write_text("edited\n")
        tree.edit("packages/b/b.mk", "version = 1", "version = 2")
    return tree


def test_looking_changes_nothing(looked_at):
    """Neither in the checkout nor in O, STORE, DL and HOME: not even for a moment."""
    tree = looked_at
    folders = (tree.root, tree.o, tree.store, tree.dl, tree.home)
    before = tree.snapshot(*folders)
    wrong = {}
    for words in LOOKING:
        done = tree.run(*words)
        after = tree.snapshot(*folders)
        if after != before:
            wrong[words] = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
            before = after
        assert done.code in (0, 1, 2)
    assert wrong == {}


def test_looking_at_what_cannot_be_written(looked_at):
    """Another user's store, a disc."""
    tree = looked_at
    words = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    mount = " && ".join(f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}" for folder in (tree.store, tree.dl, tree.o))
    if subprocess.run([*words, mount], check=False, capture_output=True).returncode:
        pytest.skip("no mount namespace here")
    goals = ["show-info", "show-targets", "why-a", "b-show-depends", "a-show-rdepends", "-n a", "-n", "-n b-rebuild"]
    script = mount + "".join(f" && {{ make {goal} >{tree.base}/out 2>&1 || {{ echo '{goal}:'; cat {tree.base}/out; false; }} }}"
                             for goal in goals)
    done = subprocess.run([*words, script], cwd=tree.root, env=tree.env(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_store_that_cannot_be_written_is_enough_where_all_is_there(tree):
    tree.package("a")
    tree.configure("a")
    tree.make()
    words = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    mount = f"mount --bind {tree.store} {tree.store} && mount -o remount,bind,ro {tree.store}"
    if subprocess.run([*words, mount], check=False, capture_output=True).returncode:
        pytest.skip("no mount namespace here")
    done = subprocess.run([*words, mount + f" && rm -r {tree.o}/images && make && ! touch {tree.store}/x"], cwd=tree.root, env=tree.env(),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tree.o / "images/packages").exists()


# Interrupted

def test_no_traceback_when_interrupted(tree):
    """The defconfig is a pipe: whoever reads it waits there, and is interrupted."""
    tree.configure()
    pipe = tree.root / "configs/slow_defconfig"
    os.mkfifo(pipe)
    make = tree.start("slow_defconfig")
    with open(pipe, "w", encoding="utf-8"):  # opened as soon as it is read
        make.signal(signal.SIGINT)
        done = make.wait()
    assert done.code != 0
    assert "Traceback" not in done.all, done.all


@pytest.mark.parametrize("goal", ["show-info", "show-targets", "list-defconfigs", "help", "why-a", "show-vars"])
def test_no_traceback_when_nobody_listens(tree, goal):
    tree.package("a", configure="x" * 100_000)
    for number in range(2000 if goal == "list-defconfigs" else 0):
        write(tree.root / f"configs/b{number}_defconfig", "# A board " + "x" * 60 + "\n")
    tree.configure("a")
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as out:
        done = subprocess.run(["make", goal], cwd=tree.root, env=tree.env(), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE,
                              text=True, check=False)
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr, done.stderr


# What somebody did to output/images

EDITS = {
    "edited": lambda images: write(images / "packages", "edited\n"),
    "edited with the same size": lambda images: write(images / "packages", read(images / "packages").upper()),
    "removed": lambda images: (images / "packages").unlink(),
    "added": lambda images: write(images / "added/x", "x\n"),
    "another mode": lambda images: (images / "packages").chmod(0o600),
    "a link": lambda images: ((images / "packages").rename(images.parent / "moved"), (images / "packages").symlink_to("../moved")),
    "a folder": lambda images: ((images / "packages").unlink(), (images / "packages").mkdir()),
}


@pytest.mark.parametrize("edit", EDITS)
def test_images_are_put_right(tree, edit):
    tree.configure()
    tree.make()
    before = {path.name: read(path) for path in (tree.o / "images").iterdir()}
    EDITS[edit](tree.o / "images")
    done = tree.make()
    assert done.built() == [] and "IMAGE" in done.out
    assert {path.name: read(path) for path in (tree.o / "images").iterdir()} == before
    assert (tree.o / "images/packages").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("kind", ["file", "link to a folder", "link to nowhere"])
def test_something_else_where_images_should_be(tree, kind):
    """It is replaced; what a link leads to is not touched."""
    tree.configure()
    images = tree.o / "images"
    if kind == "file":
        images.write_text("mine\n")
    else:
        images.symlink_to(tree.base / "pictures")
    if kind == "link to a folder":
        write(tree.base / "pictures/mine", "mine\n")
    tree.make()
    assert images.is_dir() and not images.is_symlink() and (images / "packages").exists()
    assert kind != "link to a folder" or [path.name for path in (tree.base / "pictures").iterdir()] == ["mine"]


# The clock

def test_a_clock_in_the_past(tree):
    """Files of the future: no warning, nothing built twice."""
    tree.package("a")
    tree.configure("a")
    future = 4_000_000_000
    for path in [*tree.root.rglob("*"), tree.o / ".config", tree.o / "config.mk"]:
        os.utime(path, (future, future), follow_symlinks=False)
    tree.make("a")
    done = tree.make("a")
    assert done.built() == []
