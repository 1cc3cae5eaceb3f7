"""Mistakes in recipes are said by one validator, with file and line; and what one recipe says stays its own."""

import hashlib
import os

import pytest

from .conftest import lend_bubblewrap
from .test_errors import says
from .tree import Tree, read, write

PIN = "1" * 64
RECIPE = "packages/a/a.mk"


@pytest.fixture(scope="module")
def shared(engine, first_tree, tmp_path_factory):
    """One tree for all mistakes: nothing is built in it, and each test writes its recipes anew."""
    tree = Tree(tmp_path_factory.mktemp("recipes"), engine, first_tree.tools)
    lend_bubblewrap(first_tree.dl, tree.dl)
    tree.package("a")
    tree.package("b")
    tree.configure("a", COLOUR='"blue"')
    return tree


def recipe(tree, text, name="a"):
    (tree.root / f"packages/{name}/{name}.mk").write_text("version = 1\nbuild = own\n" + text)


SOURCE = f"sha256 = {PIN}\nsource = "
# The mistake is in line 3 or, with a pin before it, in line 4.
MISTAKES = {
    "misspelt field": ("licnese = MIT\n", 3, "there is no field 'licnese'", "Did you mean licence?"),
    "misspelt field with a condition": ("configre-$(CONFIG_LIGHT) += --x\n", 3, "there is no field 'configre'", "Did you mean configure?"),
    "field of another spelling": ("depend = b\n", 3, "there is no field 'depend'", "Did you mean depends?"),
    "unknown symbol in symbols": ("symbols = CONFIG_COLOR\n", 3, "there is no symbol CONFIG_COLOR", "Did you mean CONFIG_COLOUR?"),
    "symbol without its prefix": ("symbols = COLOUR\n", 3, "there is no symbol COLOUR", "CONFIG_COLOUR"),
    "unknown symbol in a condition": ("configure-$(CONFIG_LIHGT) += --x\n", 3, "there is no symbol CONFIG_LIHGT", "CONFIG_LIGHT"),
    "unknown variable": ("configure = --host=$(TRAGET)\n", 3, "there is no variable $(TRAGET)", "TARGET"),
    "variable of the shell": ("configure = --host=$TARGET\n", 3, "$TARGET is $(T) to Make", "$$TARGET"),
    "lonely dollar": ("configure = a$ b\n", 3, "a $ by itself"),
    "open reference": ("configure = $(CONFIG_LIGHT\n", 3, "not closed"),
    "function": ("configure = $(shell id)\n", 3, "no functions"),
    "a value that is itself": ("configure = $(configure) --x\n", 3, "refers to itself"),
    "two that are each other": ("x = $(y)\ny = $(x)\nconfigure = $(x)\n", 4, "refers to itself"),
    "set twice": ("configure = --x\nconfigure = --y\n", 4, "is set in line 3 already"),
    "question mark": ("configure ?= --x\n", 3, "write = or +="),
    "shell assignment": ("configure != id\n", 3, "write = or +="),
    "a rule": ("all: clean\n", 3, "a rule"),
    "a command": ("\trm -rf /\n", 3, "begins with a tab"),
    "a conditional": ("ifdef CONFIG_LIGHT\n", 3, "'ifdef' is not for a recipe"),
    "an include": ("include /etc/passwd\n", 3, "'include' is not for a recipe"),
    "no assignment": ("configure --x\n", 3, "this is no assignment"),
    "no name": ("= --x\n", 3, "there is no name before the ="),
    "two names": ("configure install = --x\n", 3, "is not one name"),
    "comment at the end": ("configure = --x # why\n", 3, "a comment has a line of its own"),
    "carriage return": ("configure = --x\r\n", 3, "carriage return"),
    "control character": ("configure = --x\0--y\n", 3, "a control character (0)"),
    "last line goes on": ("configure = --x \\", 3, "ends with a backslash"),
    "open quote": ("configure = --x='a b\n", 3, "a ' that is not closed"),
    "# in an address": (SOURCE + "https://example.invalid/a.tar\\#x\n", 4, "without ? and #"),
    "? in an address": (SOURCE + "https://example.invalid/a.tar?x=1\n", 4, "without ? and #"),
    "address without a file": (SOURCE + "https://example.invalid/a/\n", 4, "https://<host>/<path>/<file>"),
    "address without a host": (SOURCE + "https:///a/a.tar\n", 4, "https://<host>/<path>/<file>"),
    "address without a path": (SOURCE + "https://a.tar\n", 4, "https://<host>/<path>/<file>"),
    "plain http": (SOURCE + "http://example.invalid/a.tar\n", 4, "https://<host>/<path>/<file>"),
    "unknown scheme": (SOURCE + "ftp://example.invalid/a.tar\n", 4, "debian:<source package>/<file>"),
    "no scheme": (SOURCE + "a.tar\n", 4, "debian:<source package>/<file>"),
    "debian without a file": (SOURCE + "debian:a\n", 4, "debian:<source package>/<file>"),
    "debian with a folder": (SOURCE + "debian:a/b/c.tar\n", 4, "debian:<source package>/<file>"),
    "debian leading out": (SOURCE + "debian:../c.tar\n", 4, "debian:<source package>/<file>"),
    "pypi without a file": (SOURCE + "pypi:a\n", 4, "pypi:<project>/<file>"),
    "go without a version": (SOURCE + "go:example.invalid/m\n", 4, "go:<module>@v<version>"),
    "go of two versions": (SOURCE + "go:example.invalid/m@v1@v2\n", 4, "go:<module>@v<version>"),
    "go-vendor with a folder": (SOURCE + "go-vendor:a/b.tar\n", 4, "go-vendor:<file>"),
    "a source called ..": (SOURCE + "https://example.invalid/a/..\n", 4, "https://<host>/<path>/<file>"),
    "a source with shell's characters": (SOURCE + "https://example.invalid/$$(id).tar\n", 4, "https://<host>/<path>/<file>"),
    "a source of one name twice": (f"sha256 = {PIN} {PIN[::-1]}\nsource = https://x.invalid/a.tar https://y.invalid/a.tar\n", 4,
                                   "two sources are called a.tar"),
    "pin with capitals": (f"sha256 = {'A' * 64}\n", 3, "is not 64 lower-case hex digits"),
    "pin without a source": (f"sha256 = {PIN}\n", 3, "0 sources but 1 sha256 pins"),
    "upstream without a source": ("upstream = https://example.invalid/a.tar\n", 3, "upstream without a source"),
    "user root": ("users = root:5\n", 3, "root is in every image"),
    "user nobody": ("users = nobody:5\n", 3, "nobody is in every image"),
    "negative user": ("users = foo:-1\n", 3, "a number from 1 to 65533"),
    "user number 0": ("users = foo:0\n", 3, "a number from 1 to 65533"),
    "user number 65534": ("users = foo:65534\n", 3, "a number from 1 to 65533"),
    "user number of two spellings": ("users = foo:007\n", 3, "a number from 1 to 65533"),
    "user number beyond all": ("users = foo:99999999999999999999\n", 3, "a number from 1 to 65533"),
    "user without a number": ("users = foo\n", 3, "write <name>:<number>"),
    "user without a name": ("users = :5\n", 3, "write <name>:<number>"),
    "user with three parts": ("users = foo:5:6\n", 3, "a number from 1 to 65533"),
    "user in capitals": ("users = Foo:5\n", 3, "write <name>:<number>"),
    "two users of one number": ("users = foo:5 bar:5\n", 3, "taken in packages/a/a.mk:3"),
    "two users of one name": ("users = foo:5 foo:6\n", 3, "taken in packages/a/a.mk:3"),
    "itself": ("depends = a\n", 3, "a depends on itself"),
    "a dependency that is no name": ("depends = ../b\n", 3, "is no name of a package"),
    "files leading out": ("files = ../../etc/passwd\n", 3, "is no path"),
    "files from inside out": ("files = packages/../../etc\n", 3, "is no path"),
    "everything as files": ("files = .\n", 3, "is no path"),
    "srcdir leading out": ("srcdir = ../out\n", 3, "is no path"),
    "absolute srcdir": ("srcdir = /out\n", 3, "is an absolute path"),
    "image path that is not absolute": ("image = usr/bin/a\n", 3, "write an absolute path"),
    "image path leading out": ("image = /usr/../../etc\n", 3, "write an absolute path"),
    "sandbox": ("sandbox = no\n", 3, "write none, or leave it out"),
    "script leading out": ("scripts = ../fetch\n", 3, "write the name of a file in scripts/build"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_said_with_its_line(shared, mistake):
    text, line, *words = MISTAKES[mistake]
    recipe(shared, text)
    done = shared.fails("show-info")
    says(done, f"{RECIPE}:{line}: ", *words)
    assert all(not said or said.startswith((RECIPE, "make: ", "Makefile", "scripts/")) for said in done.err.splitlines()), done.err


@pytest.mark.parametrize("bytes_", [b"\xe4", b"a\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xff\xfe", b"\xf4\x90\x80\x80"], ids=repr)
def test_bytes_that_are_no_text(shared, bytes_):
    """They would make what show-info says no JSON."""
    (shared.root / RECIPE).write_bytes(b"version = 1\nbuild = own\nsummary = " + bytes_ + b"\n")
    says(shared.fails("show-info"), f"{RECIPE}:3: not UTF-8")


@pytest.mark.parametrize("text", ["äöü", "€", "\U0001f600", "\ud7ff", "\ue000", "\U0010ffff"], ids=ascii)
def test_any_language_is_text(shared, text):
    recipe(shared, f"summary = {text}\n")
    assert shared.info()["a"]["summary"] == text


BAD_VERSIONS = {"a dash first": "-1", "blank": "1 2", "slash": "1/2", "parent": "../1", "semicolon": "1;id", "command": "1`id`",
                "reference": "1$$(id)", "quote": "1'2", "star": "1*", "end of line": "1¶2", "colon": "1:2", "percent": "1%",
                "hash": "1\\#2",
                "umlaut": "1ä"}


@pytest.mark.parametrize("version", BAD_VERSIONS)
def test_a_version_that_could_not_be_part_of_a_path(shared, version):
    (shared.root / RECIPE).write_text(f"version = {BAD_VERSIONS[version]}\nbuild = own\n")
    says(shared.fails("show-info"), f"{RECIPE}:1: version", "may only have letters, digits and")


def test_all_mistakes_are_said_at_once(shared):
    recipe(shared, "licnese = MIT\nusers = root:5\ndepends = nosuch\n")
    done = shared.fails("show-info")
    says(done, f"{RECIPE}:3: ", f"{RECIPE}:4: ", f"{RECIPE}:5: ")


@pytest.mark.parametrize("name", ["0001-fix.patch", "x.diff", "b-1.patch", "A-1.patch", "a-x.patch.gz", "a-x.patch.orig",
                                  "patches/a-x.patch", "1/0001-fix.patch"])
def test_a_patch_that_nothing_applies(shared, name):
    """Not even where other distributions have theirs: in a folder `patches`, or in one of the version's name."""
    recipe(shared, "")
    patch = shared.root / "packages/a" / name
    write(patch, "")
    try:
        says(shared.fails("show-info"), f"packages/a/{name.split('/')[0]}: is not applied to anything; a patch is called a-<what>.patch")
    finally:
        patch.unlink()
        if patch.parent.name != "a":
            patch.parent.rmdir()


@pytest.mark.parametrize("name", ["al.mk", "A.mk", "a b.mk", "a$b.mk", "ä.mk", "-a.mk", "+a.mk"])
def test_a_recipe_whose_name_is_no_name(shared, name):
    """It is only looked at when it is asked for, but `check --all` of `make lint` sees it."""
    recipe(shared, "")
    path = shared.root / "packages/a" / name
    path.write_text("version = 1\n")
    try:
        if name == "al.mk":
            says(shared.fails("al"), "packages/a/al.mk: build is missing")
        else:
            assert shared.make("show-info").err == ""
    finally:
        path.unlink()


@pytest.mark.parametrize("goal", ["all", "clean", "source", "images", "show-info", "setup", "help"])
def test_a_recipe_with_the_name_of_a_goal(shared, goal):
    """`make clean` can only be one of them."""
    recipe(shared, f"depends = {goal}\n")
    shared.package(goal)
    try:
        says(shared.fails("show-targets"), f"packages/{goal}/{goal}.mk", "goal")
    finally:
        for file in (shared.root / f"packages/{goal}").iterdir():
            file.unlink()
        (shared.root / f"packages/{goal}").rmdir()


def test_unreadable_recipe(shared):
    """A folder of a recipe's name, since root may read everything."""
    recipe(shared, "depends = c\n")
    folder = shared.root / "packages/c/c.mk"
    folder.mkdir(parents=True)
    try:
        says(shared.fails("show-info"), "packages/c/c.mk: ")
    finally:
        folder.rmdir()
        folder.parent.rmdir()


def test_a_recipe_that_is_a_link_to_nowhere(shared):
    recipe(shared, "depends = c\n")
    folder = shared.root / "packages/c"
    folder.mkdir()
    (folder / "c.mk").symlink_to("nowhere")
    try:
        says(shared.fails("show-info"), "packages/c/c.mk: ")
    finally:
        (folder / "c.mk").unlink()
        folder.rmdir()


def test_a_recipe_that_is_a_pipe_does_not_hang(shared):
    recipe(shared, "depends = c\n")
    folder = shared.root / "packages/c"
    folder.mkdir()
    os.mkfifo(folder / "c.mk")
    try:
        says(shared.fails("show-info", limit=60), "packages/c/c.mk: ")
    finally:
        (folder / "c.mk").unlink()
        folder.rmdir()


def test_a_link_to_nowhere_in_a_package_folder_is_nobody_s_business(shared):
    recipe(shared, "")
    link = shared.root / "packages/a/dangling"
    link.symlink_to("nowhere")
    try:
        assert shared.make("show-info").err == ""
    finally:
        link.unlink()


def test_a_package_folder_that_is_a_link(shared):
    recipe(shared, "depends = linked\n")
    elsewhere = shared.base / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "linked.mk").write_text("version = 1\nbuild = own\n")
    (elsewhere / "linked.sh").write_text("")
    link = shared.root / "packages/linked"
    link.symlink_to(elsewhere)
    try:
        assert shared.keys()["linked"].startswith("linked-1-")
    finally:
        link.unlink()


# Goals

@pytest.mark.parametrize("goal", ["x'y", "x\"y", "x$(id)", "x;y", "x`id`", "x*", "x\\", "(", "x%y", "¶", "x y", "a-rebuild-shell", "why-"])
def test_an_unknown_goal_of_any_spelling(shared, goal):
    recipe(shared, "")
    done = shared.fails(goal)
    assert "there is no " in done.err, done.err
    assert "yntax error" not in done.err and "uid=" not in done.err + done.out


def test_a_package_is_preferred_to_a_verb(shared):
    """`c-shell` may be a package, unless there is a c."""
    recipe(shared, "depends = c-source\n")
    home = shared.package("c-source")
    try:
        assert shared.make("c-source-show-depends").out == "c-source\n"
    finally:
        for file in home.iterdir():
            file.unlink()
        home.rmdir()


def test_a_package_that_is_called_like_a_goal_of_another(shared):
    recipe(shared, "")
    home = shared.package("b-shell")
    try:
        says(shared.fails("b-shell"), "packages/b-shell/b-shell.mk: b-shell is a goal of make, shell of the package b")
    finally:
        for file in home.iterdir():
            file.unlink()
        home.rmdir()


def test_a_recipe_without_a_folder_of_its_own(shared):
    recipe(shared, "")
    stray = shared.root / "packages/stray.mk"
    write(stray, "version = 1\nbuild = own\n")
    try:
        says(shared.fails("b"), "packages/stray.mk: is not read", "packages/stray/stray.mk")
    finally:
        stray.unlink()


# What one recipe says stays its own

def test_a_helper_variable_does_not_leak(shared):
    """As Make would have it, += in the second recipe would add to what the first one has."""
    recipe(shared, "opts += --of-a\nconfigure = $(opts)\n", "a")
    recipe(shared, "opts += --of-b\nconfigure = $(opts)\n", "b")
    shared.configure("b")
    alone = shared.info()["b"]
    shared.configure("a", "b")
    both = shared.info()
    assert both["b"] == alone
    assert (both["a"]["configure"], both["b"]["configure"]) == ("--of-a", "--of-b")


def test_a_variable_of_another_recipe_is_unknown(shared):
    recipe(shared, "opts = --of-a\nconfigure = $(opts)\n", "a")
    recipe(shared, "configure = $(opts)\n", "b")
    shared.configure("a", "b")
    says(shared.fails("show-info"), "packages/b/b.mk:3: there is no variable $(opts)")


@pytest.mark.parametrize("value", ["a¶b", "--x='¶'", "$$HOME", "$$(id)", "`id`", "a;b|c&d", "\\\\n", "%s%d", "*", "~", "\\#x", "ä€", "!",
                                   "{a,b}"])
def test_a_value_comes_through_as_it_is(shared, value):
    recipe(shared, f"configure = {value}\n")
    shared.configure("a")
    assert shared.info()["a"]["configure"] == value.replace("$$", "$").replace("\\#", "#")


def test_values_in_the_build(tree):
    """From the recipe to the build's environment, whatever is in them; nothing is run on the way."""
    value = "¶ $$HOME $$(touch /build/evil) `touch /build/evil` ; | & < > \\\\ % * ~ \\# ä \"quoted blank\" 'x'"
    script = 'step_install() { [ ! -e /build/evil ]; mkdir /out/usr; printf %s "$recipe_configure" >/out/usr/value; }\n'
    tree.package("a", script, configure=value)
    tree.configure("a")
    tree.make("a")
    assert tree.out("a", "/usr/value") == value.replace("$$", "$").replace("\\#", "#")


def test_a_value_that_no_environment_holds(tree):
    """The kernel takes 128 KiB for one string: more is said before anything is built."""
    tree.package("a", configure="x" * 200_000)
    tree.configure("a")
    done = tree.fails("a")
    says(done, "packages/a/a.mk:3: ", "configure")
    assert done.built() == []


def test_a_long_value(tree):
    tree.package("a", 'step_install() { mkdir /out/usr; printf %s "$recipe_configure" | sha256sum >/out/usr/sum; }\n',
                 configure=" ".join(["word"] * 20_000))
    tree.configure("a")
    tree.make("a")
    expected = hashlib.sha256(" ".join(["word"] * 20_000).encode()).hexdigest()
    assert tree.out("a", "/usr/sum").split()[0] == expected


# Sources and folders

def test_the_first_source_listed_is_unpacked(tree):
    """Not the first in the alphabet."""
    z, a = (tree.source(f"{name}.tar", {"which": name}) for name in "za")
    tree.package("a", "step_install() { mkdir /out/usr; cp which /out/usr/; echo $SOURCES >/out/usr/all; }\n",
                 source="https://example.invalid/z.tar https://example.invalid/a.tar", sha256=f"{z} {a}")
    tree.configure("a")
    tree.make("a")
    assert (tree.out("a", "/usr/which"), tree.out("a", "/usr/all")) == ("z", "z.tar a.tar\n")


def test_srcdir_that_is_not_there_after_unpacking(tree):
    tree.package("a", source="https://example.invalid/a.tar", sha256=tree.source("a.tar", {"x": "x"}), srcdir="src/nosuch")
    tree.configure("a")
    says(tree.fails("a"), "FAILED  a 1", "there is no folder src/nosuch after unpack: is srcdir right?")
    assert tree.entries("a") == []


def test_two_packages_with_different_sources_of_one_name(tree):
    """v1.0.tar.gz is what many sites call their archives."""
    for name in ("one", "two"):
        pin = tree.source("v1.0.tar", {"which": name})
        tree.package(name, "step_install() { mkdir /out/usr; cp which /out/usr/; }\n", source=f"https://{name}.invalid/v1.0.tar",
                     sha256=pin)
    tree.configure("one", "two")
    tree.make("one", "two")
    assert [tree.out(name, "/usr/which") for name in ("one", "two")] == ["one", "two"]


def test_a_pin_changes_under_one_name(tree):
    script = "step_install() { mkdir /out/usr; cp which /out/usr/; }\n"
    pins = [tree.source("a.tar", {"which": which}) for which in ("old", "new")]
    for pin, which in zip(pins, ("old", "new")):
        tree.package("a", script, source="https://example.invalid/a.tar", sha256=pin)
        tree.configure("a")
        tree.make("a")
        assert read(tree.store / tree.keys()["a"] / "tree/usr/which") == which
    assert len(tree.entries("a")) == 2
