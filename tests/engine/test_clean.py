"""Goals that delete: only what carries the mark that we wrote, and of that only what we made."""

import fcntl
import os
import subprocess

import pytest

from .tree import GATE, eventually, read, write

MARK = ".copal-output"
GOALS = ["clean", "distclean"]


@pytest.fixture
def clone(tree):
    """A checkout with a history and folders whose names are also those of what make generates."""
    write(tree.root / ".git/HEAD", "ref: refs/heads/main\n")
    for folder in (tree.root, tree.home, tree.store, tree.dl, tree.base / "elsewhere"):
        for name in ("images", "inputs", "logs", "built", "test"):
            write(folder / name / "mine", "mine\n")
        write(folder / "qemu", "mine\n")
        write(folder / ".config", "mine\n")
    return tree


def mark(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()


def everything(tree):
    """All but the times of folders that nothing was put into or taken out of."""
    return tree.snapshot(tree.base)


PLACES = {
    "the checkout": lambda tree: tree.root,
    "a point": lambda tree: ".",
    "the folder above": lambda tree: "..",
    "home": lambda tree: tree.home,
    "the store": lambda tree: tree.store,
    "downloads": lambda tree: tree.dl,
    "another folder": lambda tree: tree.base / "elsewhere",
    "above all": lambda tree: tree.base,
    "an entry": lambda tree: tree.entry("host-bubblewrap"),
    "with points": lambda tree: f"{tree.root}/packages/../../home/.",
    "a part of the checkout": lambda tree: "packages",
    "a file": lambda tree: "Makefile",
}


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("place", PLACES)
def test_what_has_no_mark_is_refused_with_its_name(clone, place, goal):
    path = str(PLACES[place](clone))
    before = everything(clone)
    done = clone.fails(goal, f"O={path}")
    assert os.path.abspath(os.path.join(clone.root, path)) in done.err and "nothing was removed" in done.err, done.err
    assert everything(clone) == before


@pytest.mark.parametrize("flags", [["-i"], ["-k"], ["-i", "-k", "-s"], ["-n"], ["-t"], ["-q"]], ids=" ".join)
@pytest.mark.parametrize("goal", GOALS)
def test_no_flag_of_make_changes_that(clone, goal, flags):
    before = everything(clone)
    done = clone.run(*flags, goal, f"O={clone.home}")
    assert everything(clone) == before
    assert "rm -" not in done.out


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("path", ["/", "/.", "//", "/usr/..", "/home", "/tmp", "/root"])
def test_only_looking_at_what_everything_is_in(clone, goal, path):
    done = clone.run("-n", goal, f"O={path}")
    assert "rm -" not in done.out + done.err


@pytest.mark.parametrize("goal", GOALS)
def test_the_root_of_a_machine_is_refused(clone, goal):
    """In a sandbox with a root that cannot be written, so that nothing can go wrong here."""
    bwrap = clone.entry("host-bubblewrap") / "tree/bin/bwrap"
    prefix = [bwrap, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", clone.base, clone.base]
    assert subprocess.run([*prefix, "mkdir", "/copal-test"], check=False, capture_output=True).returncode, "it can be written"
    done = clone.fails(goal, "O=/", prefix=prefix)
    assert "/ is no output folder" in done.err, done.err


@pytest.mark.parametrize("variable", ["O", "STORE", "DL"])
@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("value", ["", " ", "\t"])
def test_an_empty_folder_is_refused(clone, goal, variable, value):
    before = everything(clone)
    done = clone.fails(goal, f"{variable}={value}")
    assert f"{variable}=" in done.err
    assert everything(clone) == before


@pytest.mark.parametrize("goal", GOALS)
def test_in_a_fresh_clone_there_is_nothing_to_do(clone, goal):
    before = everything(clone)
    clone.make(goal, env={"O": None})
    assert everything(clone) == before


@pytest.mark.parametrize("variable", ["STORE", "DL"])
@pytest.mark.parametrize("goal", GOALS)
def test_store_and_downloads_are_never_touched(clone, goal, variable):
    """Even where they are the output folder, or in it."""
    mark(clone.o)
    folder = clone.o / "images" if variable == "STORE" else clone.o / "kept"
    write(folder / "precious", "precious\n")
    done = clone.run(goal, f"{variable}={folder}")
    assert (folder / "precious").exists(), done.all


@pytest.mark.parametrize("goal", GOALS)
def test_what_the_user_put_there_stays(clone, goal):
    mark(clone.o)
    clone.package("a")
    clone.configure("a")
    clone.make()
    write(clone.o / "notes", "mine\n")
    write(clone.o / ".hidden/notes", "mine\n")
    done = clone.make(goal)
    left = {path.name for path in clone.o.iterdir()}
    assert left == {"notes", ".hidden", MARK} | ({".config", "config.mk"} if goal == "clean" else set())
    clone.make("test_defconfig")  # it is an output folder as before
    assert goal == "clean" or ("KEPT" in done.out and "notes" in done.out and ".hidden" in done.out)


def test_clean_and_distclean(clone):
    mark(clone.o)
    clone.package("a")
    clone.configure("a")
    clone.make()
    outside = clone.snapshot(clone.root, clone.store, clone.dl, clone.home)
    clone.make("clean")
    assert {path.name for path in clone.o.iterdir()} == {MARK, ".config", "config.mk"}
    assert clone.make().built() == []
    clone.make("distclean")
    assert not clone.o.exists()
    assert clone.snapshot(clone.root, clone.store, clone.dl, clone.home) == outside
    clone.make("distclean")


@pytest.mark.parametrize("linked", ["to a folder", "to nowhere"])
def test_a_linked_output(clone, linked):
    """`output` on another disk. The link is the user's; so is what else is in the folder."""
    disk = clone.base / "disk"
    (clone.root / "output").symlink_to(disk / "out")
    clone.environment["O"] = "output"
    clone.o = disk / "out"
    if linked == "to nowhere":
        assert clone.run("clean").code == 0 and (clone.root / "output").is_symlink()
        return
    mark(clone.o)
    write(disk / "beside", "mine\n")
    clone.package("a")
    clone.configure("a")
    clone.make()
    assert read(clone.root / "output/images/packages").split() == ["a", "init", "linux"]
    clone.make("clean")
    assert {path.name for path in clone.o.iterdir()} == {MARK, ".config", "config.mk"}
    clone.make("distclean")
    assert not list(clone.o.iterdir()) if clone.o.exists() else True
    assert (clone.root / "output").is_symlink()
    assert read(disk / "beside") == "mine\n"


@pytest.mark.parametrize("name", ["images", "inputs", "logs", "test", "built"])
def test_a_link_in_the_output_is_not_followed(clone, name):
    mark(clone.o)
    (clone.o / name).symlink_to(clone.home)
    before = clone.snapshot(clone.home)
    clone.make("clean")
    assert not (clone.o / name).is_symlink()
    assert clone.snapshot(clone.home) == before


def test_a_configuration_in_a_foreign_folder_does_not_make_it_ours(clone):
    """`make x_defconfig O=$HOME` by mistake, then `make distclean O=$HOME`: what was there before stays."""
    before = clone.snapshot(clone.base / "elsewhere")
    clone.package("a")
    clone.run("test_defconfig", env={"O": str(clone.base / "elsewhere")})
    for goal in GOALS:
        clone.run(goal, env={"O": str(clone.base / "elsewhere")})
    after = clone.snapshot(clone.base / "elsewhere")
    gone = {path for path in before if path not in after or (before[path][-1] is not None and before[path][-1] != after[path][-1])}
    assert gone == set()


@pytest.mark.parametrize("name", ["it's", "a;touch${IFS}evil", "$HOME", "a*", "a?", "-n", "#x", "a#x", "%", "ä", "ä¶", "a:b", "a=b", "a,b",
                                  "a(b)", "a\\b", "~", "a&b", "a|b", "`id`", "a\"b"])
def test_odd_names_of_the_output(clone, name):
    """The folder that is meant, or an error; never another one."""
    for other in ("a1", "ab", "a"):
        mark(clone.base / other)
        write(clone.base / other / "images/x", "x\n")
    folder = clone.base / name
    mark(folder)
    write(folder / "images/x", "x\n")
    done = clone.run("clean", env={"O": str(folder)})
    assert all((clone.base / other / "images/x").exists() for other in ("a1", "ab", "a")), "another folder was cleaned"
    assert not list(clone.base.rglob("evil"))
    assert (done.code == 0) == (not (folder / "images").exists()), done.all


def test_store_gc_of_a_folder_that_is_no_store(clone):
    """Even if it has folders of the names of ours."""
    for name in (".work", ".lock", ".roots", ".damaged-mine"):
        write(clone.home / name / "mine", "mine\n")
    before = clone.snapshot(clone.home)
    clone.run("store-gc", f"STORE={clone.home}")
    assert clone.snapshot(clone.home) == before


def test_clean_all(clone):
    """The rest begins when cleaning has ended, whatever -j says."""
    mark(clone.o)
    clone.package("a")
    clone.configure("a")
    clone.make()
    write(clone.o / "images/stale", "stale\n")
    done = clone.make("-j8", "clean", "all")
    assert done.built() == []
    assert sorted(path.name for path in (clone.o / "images").iterdir()) == ["SHA256SUMS", "packages"]


def test_clean_takes_what_is_left_of_an_older_engine(clone):
    """Folders without permissions: as the remains of a build may be."""
    mark(clone.o)
    write(clone.o / "test/deep/x", "x\n")
    (clone.o / "test/deep").chmod(0)
    clone.make("clean")
    assert not (clone.o / "test").exists()


@pytest.mark.parametrize("goal", GOALS)
def test_the_output_of_another_checkout_is_refused(tree, new_tree, goal):
    other = new_tree("other")
    other.configure()
    before = other.snapshot(other.o)
    done = tree.fails(goal, f"O={other.o}")
    assert f"{other.o} belongs to the checkout {other.root}" in done.err
    tree.configure()
    done = tree.fails("test_defconfig", f"O={other.o}")
    assert f"O={other.o} belongs to the checkout {other.root}" in done.err
    assert other.snapshot(other.o) == before


def test_the_output_of_a_checkout_that_was_moved_is_taken_over(tree):
    tree.configure()
    moved = tree.root.rename(tree.root.with_name("moved"))
    tree.root = moved
    tree.make("test_defconfig")
    assert read(tree.o / MARK).splitlines()[0] == str(moved)
    tree.make("distclean")
    assert not tree.o.exists()


# What compiles nothing: in a tenth of a second there would be tools.
COMPILER = """\
#!/bin/bash
while [ $# -gt 0 ]; do [ "$1" != -o ] || { cp /bin/true "$2"; exit 0; }; shift; done
"""


@pytest.fixture
def compiler(clone):
    write(clone.base / "bin/g++", COMPILER)
    (clone.base / "bin/g++").chmod(0o755)
    clone.environment["PATH"] = f"{clone.base}/bin:{os.environ['PATH']}"
    return clone


@pytest.mark.parametrize("goal", ["all", "show-targets", "clean", "store-gc"])
def test_tools_in_a_foreign_folder(compiler, goal):
    """They were put in its place."""
    compiler.configure()
    before = compiler.snapshot(compiler.home)
    done = compiler.run(goal, f"TOOLS={compiler.home}")
    assert compiler.snapshot(compiler.home) == before
    if goal in ("all", "show-targets"):
        assert done.code == 2
        assert f"TOOLS={compiler.home} is there, and not made by us: nothing was changed." in done.err, done.err


def test_tools_where_nothing_is_are_made(compiler):
    """The compiler makes none that work here; that is said, and what is beside them stays."""
    compiler.configure()
    before = compiler.snapshot(compiler.home)
    done = compiler.fails("show-targets", f"TOOLS={compiler.base}/new/tools")
    assert f"{compiler.base}/new/tools/keys says nothing" in done.err, done.err
    assert (compiler.base / "new/tools/built.mk").exists()
    assert compiler.snapshot(compiler.home) == before


@pytest.mark.parametrize("goal", GOALS)
def test_clean_waits_for_a_build(tree, goal):
    """The folder of its log was removed under it, and the build failed."""
    tree.package("a", "step_build() {\n" + GATE + "}\n")
    tree.configure("a")
    build = tree.start("a")
    tree.awaits("a", "waiting")
    clean = tree.start(goal)
    eventually(lambda: "WAIT" in read(clean.folder / "out"), "clean says that it waits")
    assert (tree.o / "logs/a.log").exists()
    tree.open_gate("a")
    done = build.wait()
    assert done.code == 0 and "DONE" in done.out, done.err
    assert tree.out("a", "/usr/share/a") == "a\n"
    assert clean.wait().code == 0
    assert not (tree.o / "logs").exists()


@pytest.mark.parametrize("goal", GOALS)
def test_clean_between_two_builds_of_a_make(tree, goal):
    """What the second was to be built from has gone: that is said, and what was built stays."""
    tree.package("a", "step_build() {\n" + GATE + "}\n")
    tree.package("b", depends="a")
    tree.configure("a", "b")
    build = tree.start("b")
    tree.awaits("a", "waiting")
    clean = tree.start(goal)
    eventually(lambda: "WAIT" in read(clean.folder / "out"), "clean says that it waits")
    tree.open_gate("a")
    done = build.wait()
    assert clean.wait().code == 0
    assert tree.out("a", "/usr/share/a") == "a\n"
    if done.code:  # clean came first
        assert f"b: {tree.o} was cleaned since make began: run make again" in done.err, done.err
        assert "sed:" not in done.err and "No such file" not in done.err
    tree.make("test_defconfig")
    assert set(tree.make("b").built()) <= {"b"}


def test_a_build_waits_for_clean(tree):
    """The lock of a clean that is under way."""
    tree.package("a")
    tree.configure("a")
    tree.make("linux")
    with open(tree.o / MARK, "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build = tree.start("a")
        eventually(lambda: "is being cleaned" in read(build.folder / "out"), "the build says that it waits")
    done = build.wait()
    assert done.code == 0, done.err
    assert tree.out("a", "/usr/share/a") == "a\n"
