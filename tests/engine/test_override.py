"""OVERRIDE_<package>: a working tree of one's own instead of the pinned sources."""

import shutil
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


# Which folder that is

def repository(folder, *names):
    """A working tree with a commit of these files; each has its own name in it."""
    for name in names:
        write(folder / name, f"{name}\n")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "x")
    return folder


def built_from(tree, folder):
    """The files that a build saw of a folder."""
    tree.make("a", f"OVERRIDE_a={folder}", limit=60)
    (top,) = (entry / "tree/usr/a" for entry in tree.entries("a"))
    return sorted(str(path.relative_to(top)) for path in top.rglob("*") if not path.is_dir())


def test_a_folder_that_the_repository_around_it_ignores(mine):
    """A home in git, say, that ignores all but a few files: nothing of the folder was built, and that without a word."""
    write(mine.base / "home/.gitignore", "*\n")
    git(mine.base / "home", "init", "-q")
    write(mine.base / "home/src/a/x", "mine\n")
    write(mine.base / "home/src/a/folder/y", "mine\n")
    assert built_from(mine, mine.base / "home/src/a") == ["folder/y", "x"]


def test_a_folder_within_a_repository(mine):
    """Not what is beside it."""
    outer = repository(mine.base / "outer", "a/x", "beside", ".gitignore")
    write(outer / ".gitignore", "*.o\n")
    write(outer / "a/x.o", "object\n")
    assert built_from(mine, outer / "a") == ["x"]


@pytest.mark.parametrize("folders", ["", "deep/deeper"])
def test_a_folder_without_files(mine, folders):
    """It was built, and its tree was empty."""
    (mine.base / "empty" / folders).mkdir(parents=True)
    says(mine.fails("a", f"OVERRIDE_a={mine.base}/empty"), "OVERRIDE_a:", f"{mine.base}/empty has no files to build")
    assert mine.entries("a") == []


def test_a_package_without_a_source(mine):
    """What it is made of is in this repository: the folder was put beside that, and made no difference."""
    mine.package("b")
    mine.configure("a", "b")
    says(mine.fails("b", override(mine).replace("OVERRIDE_a", "OVERRIDE_b")), "OVERRIDE_b: its recipe has no source")
    assert mine.entries("b") == []


@pytest.fixture
def parent(mine):
    """A repository with a submodule, and a clone of it in which that is not there yet."""
    module = repository(mine.base / "module", "inner")
    mine.parent = repository(mine.base / "parent", "outer")
    git(mine.parent, "-c", "protocol.file.allow=always", "submodule", "add", str(module), "sub")
    git(mine.parent, "commit", "-qm", "submodule")
    mine.clone = mine.base / "clone"
    subprocess.run(["git", "clone", "-q", mine.parent, mine.clone], check=True)
    return mine


def test_a_submodule_that_is_not_there(parent):
    """`git ls-files` says `./` of it: that was gone into again and again."""
    assert not list((parent.clone / "sub").iterdir())
    assert built_from(parent, parent.clone) == [".gitmodules", "outer"]
    says(parent.fails("a", f"OVERRIDE_a={parent.clone}/sub", limit=60), "OVERRIDE_a:", "has no files to build")


def test_a_submodule_that_is_there(parent):
    assert built_from(parent, parent.parent) == [".gitmodules", "outer", "sub/inner"]


def test_where_git_works_just_now_is_another_place(mine):
    """In a hook, say."""
    other = repository(mine.base / "other", "z")
    key = mine.keys(env={"OVERRIDE_a": override(mine).partition("=")[2]})["a"]
    for names in (["GIT_DIR"], ["GIT_DIR", "GIT_WORK_TREE"], ["GIT_INDEX_FILE"]):
        places = {"GIT_DIR": other / ".git", "GIT_WORK_TREE": other, "GIT_INDEX_FILE": other / ".git/index"}
        environment = {name: str(places[name]) for name in names}
        assert mine.keys(env={"OVERRIDE_a": override(mine).partition("=")[2]} | environment)["a"] == key, names


def test_a_repository_that_git_cannot_list(mine):
    """What git ignores is not known then."""
    shutil.rmtree(mine.work / ".git/objects")
    says(mine.fails("a", override(mine)), "git cannot list", "status")
    assert mine.entries("a") == []


@pytest.mark.parametrize("given", ["command line", "environment"])
@pytest.mark.parametrize("name", ["it's", "x;touch evil", "x';touch evil;'", "a b", "a$b", "a#b", "a`touch evil`", "$(shell touch evil)"])
def test_a_path_that_make_cannot_work_in(mine, name, given):
    """Its end was run as a command."""
    write(mine.base / name / "x", "mine\n")
    value = f"{mine.base}/{name}"
    done = mine.fails("a", env={"OVERRIDE_a": value}) if given == "environment" else mine.fails("a", f"OVERRIDE_a={value}")
    says(done, f"OVERRIDE_a='{value}': Make cannot work in a path with")
    assert not list(mine.base.rglob("evil")) and mine.entries("a") == []
