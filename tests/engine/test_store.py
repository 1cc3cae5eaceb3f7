"""The store: what is built, what is not built again, and what happens to an entry that is not what it was."""

import fcntl
import os
import shutil
import subprocess

import pytest

from .test_errors import says
from .tree import EPOCH, eventually, read, write


def marks(tree):
    """What would change if an entry were built, or only touched."""
    return {path.name: (path.stat().st_ino, path.stat().st_ctime_ns) for path in tree.entries()}


def test_off_and_on_again(tree):
    """Without a package only the image is built; with it again, nothing is."""
    tree.package("a")
    tree.package("b")
    tree.configure("a", "b")
    assert sorted(tree.make().built()) == ["a", "b", "image", "init", "linux"]
    assert read(tree.o / "images/packages").split() == ["a", "b", "init", "linux"]
    with_b = marks(tree)

    tree.configure("a")
    assert tree.make().built() == ["image"]
    assert read(tree.o / "images/packages").split() == ["a", "init", "linux"]
    assert with_b.items() < marks(tree).items()

    both = marks(tree)
    tree.configure("a", "b")
    assert tree.make().built() == []
    assert read(tree.o / "images/packages").split() == ["a", "b", "init", "linux"]
    assert marks(tree) == both


def test_nothing_to_do(tree):
    tree.package("a")
    tree.configure("a")
    tree.make()
    before = marks(tree)
    image = os.stat(tree.o / "images/packages")
    done = tree.make()
    assert (done.built(), done.err) == ([], "")
    assert "BUILD" not in done.out and "IMAGE" not in done.out
    assert marks(tree) == before
    assert os.stat(tree.o / "images/packages").st_ino == image.st_ino


def test_an_edit_and_its_undoing_build_once(tree):
    tree.package("a")
    tree.configure("a")
    tree.make("a")
    tree.edit("packages/a/a.mk", "version = 1", "version = 2")
    assert tree.make("a").built() == ["a"]
    tree.edit("packages/a/a.mk", "version = 2", "version = 1")
    assert tree.make("a").built() == []


def test_two_boards_share_what_is_the_same(tree):
    tree.package("a")
    tree.package("b", extra="configure-$(CONFIG_LIGHT) += --light\n")
    tree.configure("a", "b", board="one")
    tree.make()
    tree.configure("a", "b", board="two", LIGHT="y")
    assert sorted(tree.make().built()) == ["b", "image"]
    tree.make("one_defconfig")
    assert tree.make().built() == []


def test_two_checkouts_share_a_store(tree, new_tree):
    other = new_tree("other", checkout="elsewhere")
    other.store = tree.store
    for each in (tree, other):
        each.package("a")
        each.configure("a")
    assert tree.make("a").built() == ["a"]
    assert other.make("a").built() == []


def test_one_goal_for_board_and_build(tree):
    tree.package("a")
    tree.configure("a")
    (tree.o / ".config").unlink()
    done = tree.make("test_defconfig", "all")
    assert "a" in done.built()
    assert (tree.o / "images/SHA256SUMS").exists()


def test_an_unselected_package_can_be_built_by_name(tree):
    tree.package("a")
    tree.package("unselected")
    tree.configure("a")
    assert tree.make("unselected").built() == ["unselected"]
    assert "unselected" not in tree.make().built()
    assert "unselected" not in read(tree.o / "images/packages").split()


def test_a_result_with_its_inputs_gone_is_still_good(tree):
    """The store is a cache: neither sources nor the build tools' entries are needed for what is there already."""
    tree.package("host-tool")
    pin = tree.source("a.tar", {"x": "x"})
    tree.package("a", source="https://example.invalid/a.tar", sha256=pin, depends="host-tool")
    tree.configure("a")
    tree.make("a")
    (tree.dl / pin / "a.tar").unlink()
    subprocess.run(["chmod", "-R", "u+w", tree.entry("host-tool")], check=True)
    subprocess.run(["rm", "-r", tree.entry("host-tool")], check=True)
    assert tree.make("a").built() == []


def test_clean_keeps_configuration_and_store(tree):
    tree.package("a")
    tree.configure("a")
    tree.make()
    tree.make("clean")
    assert (tree.o / ".config").exists() and not (tree.o / "images").exists()
    assert tree.make().built() == []
    assert (tree.o / "images/packages").exists()
    tree.make("distclean")
    assert not tree.o.exists()


def test_a_version_with_dashes(tree):
    tree.package("a", version="2025-01-31")
    tree.configure("a")
    tree.make()
    assert read(tree.o / "images/packages").split() == ["a", "init", "linux"]


def grow(tree):
    with open(tree / "usr/share/a", "a", encoding="utf-8") as file:
        file.write("more")


def same_size(tree):
    (tree / "usr/share/a").write_text("A\n")


def replace_by_link(tree):
    (tree / "usr/share/a").unlink()
    (tree / "usr/share/a").symlink_to("/etc")


DAMAGE = {
    "another size": (grow, "/usr/share/a", "6 bytes instead of 2"),
    "a file removed": (lambda tree: (tree / "usr/share/a").unlink(), "/usr/share/a", "is missing"),
    "a file added": (lambda tree: (tree / "usr/share/b").write_text("b\n"), "/usr/share/b", "does not belong there"),
    "same size, later time": (same_size, "/usr/share/a", "was changed"),
    "another mode": (lambda tree: (tree / "usr/share/a").chmod(0o755), "/usr/share/a", "mode 0755 instead of 0644"),
    "a link instead": (replace_by_link, "/usr/share/a", "is of another type"),
    "no manifest": (lambda tree: (tree.parent / "manifest").unlink(), "it has no manifest", ""),
    "manifest cut short": (lambda tree: (tree.parent / "manifest").write_text(""), "manifest", ""),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_entry_is_reported_and_built_again(tree, damage):
    action, *words = DAMAGE[damage]
    tree.package("a")
    tree.package("b", depends="a")
    tree.configure("b")
    tree.make("b")
    entry = tree.entry("a")
    action(entry / "tree")
    done = tree.make("a", "b")
    assert done.built() == ["a"], "b is still good"
    assert entry.name in done.err and "is damaged, and is built again where it is needed" in done.err
    assert all(word in done.err for word in words), done.err
    assert tree.out("a", "/usr/share/a") == "a\n"
    again = tree.make("a", "b")
    assert (again.built(), again.err) == ([], "")


def test_altered_inputs_of_an_entry_are_noticed(tree):
    """The name of an entry is the hash of its inputs file; an entry for which that is not so is not what it says."""
    tree.package("a")
    tree.configure("a")
    tree.make("a")
    inputs = tree.entry("a") / "inputs"
    inputs.chmod(0o644)
    inputs.write_text(read(inputs).replace("version 1", "version 2"))
    checked = subprocess.run([tree.tools / "store", "check", "--full", tree.store, tree.entry("a").name], capture_output=True, text=True,
                             check=False)
    assert checked.returncode == 1 and tree.entry("a").name in checked.stdout and "inputs" in checked.stdout
    done = tree.make("a")
    assert done.built() == ["a"]
    assert "inputs" in done.err


def test_full_check_finds_a_content_with_the_right_size_and_time(tree):
    tree.package("a")
    tree.configure("a")
    tree.make("a")
    path = tree.entry("a") / "tree/usr/share/a"
    path.chmod(0o644)
    path.write_text("A\n")
    os.utime(path, (EPOCH, EPOCH))
    check = [tree.tools / "store", "check", "--full", tree.store, tree.entry("a").name]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "/usr/share/a has another content" in done.stdout


def same_size_and_time(tree):
    same_size(tree)
    os.utime(tree / "usr/share/a", (EPOCH, EPOCH))


CHECKED = {name: DAMAGE[name] for name in ("another size", "a file removed", "a file added", "same size, later time", "a link instead")}


@pytest.mark.parametrize("damage", [*CHECKED, "same size and time"])
def test_store_check_fails_for_what_is_damaged(tree, damage):
    """What make had found damaged already was left out of the check, which said that all is well."""
    action, *words = (CHECKED | {"same size and time": (same_size_and_time, "/usr/share/a", "has another content")})[damage]
    tree.package("a")
    tree.package("b", depends="a")
    tree.configure("b")
    tree.make()
    before = tree.make("store-check").out
    assert "entries are what they were" in before
    entry = tree.entry("a")
    action(entry / "tree")
    done = tree.fails("store-check")
    says(done, "damaged entries; remove their folders in", str(tree.store))
    line = next(line for line in done.out.splitlines() if line.startswith(entry.name))
    assert all(word in line for word in words), line
    assert "entries are what they were" not in done.out
    shutil.rmtree(entry)  # as it says
    assert tree.make("a").built() == ["a"]
    assert tree.make("store-check").out == before


@pytest.mark.parametrize("kind", ["file", "link to nowhere", "link to a file"])
def test_something_else_where_an_entry_should_be(tree, kind):
    """It is set aside, whatever it is."""
    tree.package("a")
    tree.configure("a")
    place = tree.store / tree.keys()["a"]
    write(tree.base / "mine", "mine\n")
    if kind == "file":
        place.write_text("mine\n")
    else:
        place.symlink_to(tree.base / ("nosuch" if kind == "link to nowhere" else "mine"))
    done = tree.make("a")
    assert done.built() == ["a"] and "DAMAGED" in done.out, done.all
    assert tree.out("a", "/usr/share/a") == "a\n"
    (aside,) = tree.store.glob(".damaged-a-1-*")
    assert str(aside) in done.out
    assert aside.is_symlink() == (kind != "file") and read(tree.base / "mine") == "mine\n"
    assert tree.make("a").built() == []


# store-gc

def test_store_gc_beside_the_removal_of_a_build_s_folder(tree):
    """Nobody waits for that: it was still going on, and what went away meanwhile made store-gc fail."""
    tree.package("a", "step_build() { for i in {1..60}; do mkdir d$i; (cd d$i; touch $(seq 500)); done; }\n")
    tree.configure("a")
    for version in range(1, 6):
        done = tree.make("a", "store-gc")
        assert done.built() == ["a"] and "GC" in done.out and done.err == ""
        tree.edit("packages/a/a.mk", f"version = {version}", f"version = {version + 1}")


def test_store_gc_with_a_link_to_nowhere(tree):
    tree.package("a", "step_build() { false; }\n")
    tree.configure("a")
    tree.fails("a")
    (tree.store / ".work/link").symlink_to(tree.base / "nosuch")
    assert "GC" in tree.make("store-gc").out
    assert list((tree.store / ".work").iterdir()) == []


def test_store_gc_does_not_know_what_an_emptied_file_wanted(tree):
    """As a power cut may leave it. What its folder needs was removed."""
    tree.package("a")
    tree.configure("a")
    tree.make()
    (root,) = (tree.store / ".roots").iterdir()
    root.write_text("")
    before = marks(tree)
    says(tree.fails("store-gc"), str(root), "nothing was removed", "Run make in its folder, or remove it")
    assert marks(tree) == before
    tree.make()
    assert "0 entries" in tree.make("store-gc").out
    assert marks(tree) == before


@pytest.mark.parametrize("length", [100, 300, 800])
def test_store_gc_keeps_what_an_output_folder_of_any_length_wants(tree, length):
    """Its path was the name of a file, which has 255 bytes at most."""
    folder = tree.base
    while len(str(folder)) < length:
        folder = folder / ("d" * 90)
    tree.o = folder / "o"
    tree.package("a")
    tree.configure("a")
    tree.make()
    before = marks(tree)
    assert "0 entries" in tree.make("store-gc").out
    assert marks(tree) == before


def waits_for(path):
    """Whether a process waits for a lock of a file: what /proc/locks says of it."""
    inode = f":{path.stat().st_ino} "
    with open("/proc/locks", encoding="ascii") as locks:
        return any("->" in line and inode in line for line in locks)


def test_make_waits_while_the_store_is_cleaned(tree):
    """It had seen entries that store-gc removed a moment later, and failed for them."""
    tree.package("a")
    tree.package("b", depends="a")
    tree.configure("b")
    tree.make("a")
    with open(tree.store / ".lock/.all", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make = tree.start("b")
        eventually(lambda: waits_for(tree.store / ".lock/.all"), "make waits for the lock of the store")
        assert make.process.poll() is None
        shutil.rmtree(tree.entry("a"))
    done = make.wait()
    assert done.code == 0, done.err
    assert done.built() == ["a", "b"]
