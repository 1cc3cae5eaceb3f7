"""What goes into a package's key, and what does not. Nothing is built here: show-info tells the keys."""

import shutil

import pytest

from .tree import sha256

ARCH = "scripts/arch/x86_64.mk"

RECIPE = """\
# One comment.
summary   = A lamp
version   = 1.0
licence   = MIT
source    = https://example.invalid/lamp-$(version).tar
sha256    = 1111111111111111111111111111111111111111111111111111111111111111
depends   = base host-tool
build     = own
configure = --with-a --with-b
configure-$(CONFIG_LIGHT) += --with-light
make      = all
files     = packages/lamp/extra packages/lamp/folder
symbols   = CONFIG_LISTED
image     = /usr/bin/lamp
"""

KCONFIG = """\
config LISTED
	string "Listed"
	default "one"
config UNLISTED
	string "Unlisted"
	default "one"
config PACKAGE_LAMP
	bool "lamp"
"""

PATCH = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-{old}\n+new\n"


@pytest.fixture
def lamp(tree):
    """Package lamp, which uses every kind of input, and a chain of dependencies: user -> lamp -> base -> deep."""
    tree.package("deep")
    tree.package("base", depends="deep")
    tree.package("host-tool")
    tree.package("other")
    tree.package("user", depends="lamp")
    home = tree.package("lamp")
    (home / "lamp.mk").write_text(RECIPE)
    (home / "Kconfig").write_text(KCONFIG)
    (home / "lamp-1.patch").write_text(PATCH.format(old="old"))
    (home / "extra").write_text("extra\n")
    (home / "folder").mkdir()
    (home / "folder/one").write_text("one\n")
    tree.configure("lamp", "user", "other")
    return tree


def replace(path, old, new):
    return lambda tree: tree.edit(path, old, new)


def in_recipe(old, new):
    return replace("packages/lamp/lamp.mk", old, new)


def write_file(path, text):
    return lambda tree: (tree.root / path).write_text(text)


def chmod(path, mode):
    return lambda tree: (tree.root / path).chmod(mode)


def link(path, target):
    return lambda tree: (tree.root / path).symlink_to(target)


def remove(path):
    return lambda tree: (tree.root / path).unlink()


def configure(**symbols):
    return lambda tree: tree.configure("lamp", "user", "other", **symbols)


def changed(tree, action):
    """The packages whose entry is another one after the action."""
    before = tree.keys()
    action(tree)
    after = tree.keys()
    return {name for name in before if name in after and before[name] != after[name]}


LAMP = {"lamp", "user", "image"}  # lamp and what depends on it
EVERYTHING = LAMP | {"base", "deep", "host-tool", "other", "init", "linux", "host-bubblewrap"}


@pytest.mark.parametrize("action, whose", [
    pytest.param(in_recipe("version   = 1.0", "version   = 1.1"), LAMP, id="version"),
    pytest.param(in_recipe("--with-b", "--with-c"), LAMP, id="configure word"),
    pytest.param(in_recipe("--with-a --with-b", "--with-b --with-a"), LAMP, id="order of configure words"),
    pytest.param(in_recipe("make      = all", "make      = all docs"), LAMP, id="make word"),
    pytest.param(in_recipe("make      = all", "install   = all"), LAMP, id="a word moves to another field"),
    pytest.param(in_recipe("= 11", "= 21"), LAMP, id="source pin"),
    pytest.param(in_recipe("lamp-$(version).tar", "lantern-$(version).tar"), LAMP, id="source file name"),
    pytest.param(in_recipe("base host-tool", "base"), LAMP, id="a dependency fewer"),
    pytest.param(in_recipe("base host-tool", "base host-tool other"), LAMP, id="a dependency more"),
    pytest.param(write_file("packages/lamp/lamp-1.patch", PATCH.format(old="older")), LAMP, id="content of a patch"),
    pytest.param(write_file("packages/lamp/lamp-2.patch", PATCH.format(old="old")), LAMP, id="a patch more"),
    pytest.param(remove("packages/lamp/lamp-1.patch"), LAMP, id="a patch fewer"),
    pytest.param(write_file("packages/lamp/lamp.sh", "step_install() { :; }\n"), LAMP, id="own build script"),
    pytest.param(write_file("packages/lamp/extra", "other\n"), LAMP, id="content of a file"),
    pytest.param(chmod("packages/lamp/extra", 0o755), LAMP, id="x bit of a file"),
    pytest.param(write_file("packages/lamp/folder/one", "two\n"), LAMP, id="content of a file in a folder"),
    pytest.param(write_file("packages/lamp/folder/two", "two\n"), LAMP, id="a file more in a folder"),
    pytest.param(link("packages/lamp/folder/two", "one"), LAMP, id="a link more in a folder"),
    pytest.param(configure(LISTED='"two"'), LAMP, id="listed symbol"),
    pytest.param(configure(LIGHT="y"), LAMP, id="symbol that a field reads"),
    pytest.param(replace("packages/base/base.sh", "base", "bass"), LAMP | {"base"}, id="build script of a dependency"),
    pytest.param(replace("packages/deep/deep.mk", "1", "2"), LAMP | {"base", "deep"}, id="dependency of a dependency"),
    pytest.param(replace("packages/host-tool/host-tool.mk", "1", "2"), LAMP | {"host-tool"}, id="host dependency"),
    pytest.param(replace("scripts/build/common.sh", "JOBS=1", "JOBS=2"), EVERYTHING, id="common build script"),
    pytest.param(replace("Makefile", "SOURCE_DATE_EPOCH := 17", "SOURCE_DATE_EPOCH := 16"), EVERYTHING, id="SOURCE_DATE_EPOCH"),
    pytest.param(replace(ARCH, "TARGET_GCC_ARGS     :=", "TARGET_GCC_ARGS := --with-arch=x86-64-v2"),
                 EVERYTHING - {"host-tool", "host-bubblewrap"}, id="architecture, but not of host packages"),
])
def test_key_changes_with(lamp, action, whose):
    assert changed(lamp, action) == whose


@pytest.mark.parametrize("action", [
    pytest.param(in_recipe("# One comment.", "# Another comment.\n# And one more."), id="comment"),
    pytest.param(in_recipe("summary", "\n\nsummary"), id="blank lines"),
    pytest.param(in_recipe("--with-a --with-b", "--with-a \\\n    --with-b"), id="line break"),
    pytest.param(in_recipe("--with-a --with-b", "--with-a    --with-b"), id="more blanks between words"),
    pytest.param(in_recipe("make      = all", "make=all   "), id="blanks around a value"),
    pytest.param(in_recipe("licence   = MIT\n", ""), id="licence"),
    pytest.param(in_recipe("A lamp", "Another lamp"), id="summary"),
    pytest.param(in_recipe("base host-tool", "host-tool base base"), id="order of dependencies"),
    pytest.param(in_recipe("https://example.invalid/", "https://elsewhere.invalid/"), id="site of a source"),
    pytest.param(in_recipe("packages/lamp/extra packages/lamp/folder", "packages/lamp/folder packages/lamp/extra"), id="order of files"),
    pytest.param(configure(UNLISTED='"two"'), id="symbol that nothing reads"),
    pytest.param(configure(COLOUR='"blue"'), id="symbol of the board"),
    pytest.param(chmod("packages/lamp/extra", 0o600), id="mode but the x bit"),
    pytest.param(chmod("packages/lamp/lamp.mk", 0o755), id="mode of the recipe"),
    pytest.param(write_file("packages/lamp/README", "text\n"), id="a file that nothing names"),
    pytest.param(write_file("packages/lamp/extra~", "text\n"), id="an editor's left-over"),
    pytest.param(write_file("packages/lamp/folder/.one.swp", "text\n"), id="an editor's left-over in a folder"),
    pytest.param(replace("scripts/build/common.sh", "set -euo", "# One more comment.\n\nset -euo"), id="a comment in a build script"),
])
def test_key_stays_with(lamp, action):
    assert changed(lamp, action) == set()


def test_image_field_counts_for_the_image_alone(lamp):
    """What of a package goes into the image is not an input of the package."""
    assert changed(lamp, in_recipe("/usr/bin/lamp", "/usr/bin")) == {"image"}


def test_order_of_lines_in_a_recipe_does_not_count(lamp):
    path = lamp.root / "packages/lamp/lamp.mk"
    first, *middle, last = path.read_text().splitlines()
    conditional = [line for line in middle if "LIGHT" in line]
    rest = [line for line in middle if "LIGHT" not in line]
    assert changed(lamp, lambda _: path.write_text("\n".join([last, *reversed(rest), first, *conditional]) + "\n")) == set()


@pytest.mark.parametrize("words, environment", [
    (["-j1"], {}),
    (["-j7", "-k"], {}),
    (["V=2"], {}),
    ([], {"LANG": "de_DE.UTF-8", "LC_ALL": "C", "LANGUAGE": "de"}),
    ([], {"CFLAGS": "-O0", "CC": "false", "LDFLAGS": "-x"}),
    ([], {"HOME": "/nonexistent"}),
    ([], {"MAKEFLAGS": "-k"}),
    ([], {"version": "3", "configure": "--evil", "depends": "nothing", "make": "x", "SOURCE_DATE_EPOCH": "1", "TARGET": "other"}),
    ([], {"CONFIG_LISTED": "two"}),
    ([], {"CONFIG_LIGHT": "y"}),
], ids=lambda value: " ".join(value) or "-")
def test_key_does_not_depend_on_the_users_environment(lamp, words, environment):
    before = lamp.keys()
    assert lamp.keys(env=environment) == before
    if words:
        done = lamp.make("show-info", *words)
        assert all(entry in done.out for entry in before.values())


def test_key_does_not_depend_on_paths(lamp, new_tree):
    """Neither on that of the checkout, nor of O, STORE and DL."""
    other = new_tree("somewhere", checkout="else")
    shutil.rmtree(other.root)
    shutil.copytree(lamp.root, other.root, symlinks=True)
    other.configure("lamp", "user", "other")
    assert other.keys() == lamp.keys()


def test_key_is_the_hash_of_the_inputs_file(lamp):
    """docs/engine.md: sha256sum output/inputs/<entry> proves it."""
    lamp.make("deep", "base")
    for name in ("deep", "base", "lamp"):
        entry = lamp.keys()[name]
        assert entry.rsplit("-", 1)[1] == sha256(lamp.o / "inputs" / entry)[:32]
