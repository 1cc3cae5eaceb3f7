"""The store: what is built, what is not built again, and what happens to an entry that is not what it was."""

import os
import subprocess

import pytest

from .tree import EPOCH, read


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
