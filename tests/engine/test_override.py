"""OVERRIDE_<package>: a working tree of one's own instead of the pinned sources."""

import subprocess

import pytest

from .test_errors import says
from .tree import write

INSTALL = "step_install() { mkdir /out/usr; cp -r . /out/usr/a; }\n"


def git(folder, *words):
    subprocess.run(["git", "-C", folder, "-c", "user.name=x", "-c", "user.email=x", *words], check=True, capture_output=True)


@pytest.fixture
def mine(tree):
    """Package a with a pinned source, and a working tree of it in git, with something that git ignores."""
    home = tree.package("a", INSTALL, source="https://example.invalid/a.tar", sha256=tree.source("a.tar", {"x": "released\n"}))
    (home / "a-1.patch").write_text("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-released\n+patched\n")
    tree.configure("a")
    work = tree.base / "work tree"
    write(work / "x", "mine\n")
    write(work / ".gitignore", "*.o\n")
    write(work / "x.o", "object\n")
    git(work, "init", "-q")
    git(work, "add", "-A")
    git(work, "commit", "-qm", "x")
    tree.work = work
    return tree


def override(tree):
    link = tree.base / "work"  # Make has no words with blanks
    if not link.exists():
        link.symlink_to(tree.work)
    return f"OVERRIDE_a={link}"


def test_a_working_tree_is_built_instead(mine):
    mine.make("a", override(mine))
    assert mine.out("a", "/usr/a/x") == "mine\n", "as it is, without our patches"
    assert not (mine.entry("a") / "tree/usr/a/x.o").exists(), "what git ignores is no source"


def test_what_is_in_it_is_the_key(mine):
    mine.make("a", override(mine))
    assert mine.make("a", override(mine)).built() == []
    write(mine.work / "x.o", "another object\n")
    assert mine.make("a", override(mine)).built() == [], "ignored"
    write(mine.work / "new", "not committed\n")
    assert mine.make("a", override(mine)).built() == ["a"], "what git does not know yet counts"
    (mine.work / "x").unlink()
    assert mine.make("a", override(mine)).built() == ["a"]
    assert mine.make("a").built() == ["a"], "and without it, the release"


def test_an_edit_meanwhile_does_not_reach_the_build(mine):
    mine.package("first", "step_build() {\n" + "mkfifo /build/gate; echo waiting; read -r word </build/gate\n}\n")
    mine.edit("packages/a/a.mk", "build = own", "build = own\ndepends = first")
    make = mine.start("a", override(mine))
    mine.awaits("first", "waiting")
    write(mine.work / "x", "edited\n")
    mine.open_gate("first")
    assert make.wait().code == 0
    assert mine.out("a", "/usr/a/x") == "mine\n"


def test_mistakes(mine):
    says(mine.fails("a", "OVERRIDE_b=/tmp"), "OVERRIDE_b: there is no package 'b'. Did you mean a?")
    says(mine.fails("a", f"OVERRIDE_a={mine.base}/nosuch"), "OVERRIDE_a: there is no folder", "nosuch")


def test_a_production_image_refuses_it(mine):
    mine.edit("configs/Kconfig", "config LIGHT\n", 'config IMAGE_PRODUCTION\n\tbool "Production"\n\n'
              'config IMAGE_ALLOW_OVERRIDES\n\tbool "Allow"\n\nconfig LIGHT\n')
    mine.configure("a", IMAGE_PRODUCTION="y")
    says(mine.fails(override(mine)), "OVERRIDE_a: a production image is built from pinned sources alone", "CONFIG_IMAGE_ALLOW_OVERRIDES")
    assert mine.entries("a") == []
    mine.make("a", override(mine))
    mine.configure("a", IMAGE_PRODUCTION="y", IMAGE_ALLOW_OVERRIDES="y")
    mine.make(override(mine))


def test_the_image_is_told(mine):
    mine.edit("packages/image/image.sh", "step_install() {\n", 'step_install() {\n    echo "${recipe_overridden-none}" >/out/overridden\n')
    mine.make(override(mine))
    assert (mine.o / "images/overridden").read_text() == "a\n"
    mine.make()
    assert (mine.o / "images/overridden").read_text() == "none\n"
