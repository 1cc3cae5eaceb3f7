"""The goals that tell something, and the levels of V=."""

import json
import os
import pty
import select
import shutil
import subprocess

import pytest

from .test_errors import says
from .test_hermetic import Terminal
from .tree import GATE, LIMIT, read, write


@pytest.fixture
def ab(tree):
    """Packages a (with everything that why can name) and b, which depends on it; both built."""
    home = tree.package("a", configure="--one --two --three", symbols="CONFIG_COLOUR", files="packages/a/file",
                        source="https://example.invalid/a.tar", sha256=tree.source("a.tar", {"x": "old\n"}))
    (home / "a-1.patch").write_text("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n")
    (home / "file").write_text("one\n")
    tree.package("b", depends="a")
    tree.package("c", depends="b")
    tree.configure("c")
    tree.make("c")
    return tree


def recolour(tree):
    tree.configure("c", COLOUR='"blue"')


def repin(tree):
    old = next(line.split()[-1] for line in read(tree.root / "packages/a/a.mk").splitlines() if line.startswith("sha256"))
    tree.edit("packages/a/a.mk", old, "1" * 64)


CHANGES = {
    "symbol": (recolour, ["CONFIG_COLOUR: red → blue"]),
    "field": (lambda tree: tree.edit("packages/a/a.mk", "--two", "--four"), ["configure: ", "(gone: --two; new: --four)"]),
    "version": (lambda tree: tree.edit("packages/a/a.mk", "version = 1", "version = 2"), ["version: 1 → 2"]),
    "a field more": (lambda tree: tree.edit("packages/a/a.mk", "build", "make = all\nbuild"), ["make: (nothing) → all"]),
    "patch": (lambda tree: tree.edit("packages/a/a-1.patch", "+new", "+newer"), ["patch a-1.patch changed"]),
    "a patch more": (lambda tree: (tree.root / "packages/a/a-2.patch").write_text("x"), ["patch a-2.patch was added"]),
    "a patch fewer": (lambda tree: (tree.root / "packages/a/a-1.patch").unlink(), ["patch a-1.patch was removed"]),
    "build script": (lambda tree: tree.edit("packages/a/a.sh", "echo a", "echo A"), ["script a.sh changed"]),
    "common script": (lambda tree: tree.edit("scripts/build/common.sh", "JOBS=1", "JOBS=1 "), ["script common.sh changed"]),
    "file": (lambda tree: tree.edit("packages/a/file", "one", "two"), ["file packages/a/file changed"]),
    "source": (repin, ["source a.tar has another sha256", "1" * 64]),
    "architecture": (lambda tree: tree.edit("scripts/arch/x86_64.mk", "TARGET_GOARCH       := amd64", "TARGET_GOARCH := other"),
                     ["TARGET_GOARCH: amd64 → other"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_why_names_what_changed(ab, change):
    action, words = CHANGES[change]
    action(ab)
    done = ab.make("why-a")
    assert done.out.startswith("a\n")
    assert not [word for word in words if word not in done.out], done.out
    assert len(done.out.splitlines()) == 2, "one change, one line"


def test_why_follows_dependencies(ab):
    ab.edit("packages/a/a.mk", "version = 1", "version = 2")
    assert ab.make("why-c").out.splitlines() == ["c", "  dependency b changed", "    dependency a changed", "      version: 1 → 2"]


def test_why_of_what_is_up_to_date_or_was_never_built(ab):
    assert ab.make("why-a").out == "a: nothing changed: up to date\n"
    assert ab.make("why-linux").out == "linux: never built here\n"


def test_why_builds_nothing(ab):
    ab.edit("packages/a/a.mk", "version = 1", "version = 2")
    assert ab.make("why-a").built() == []
    assert len(ab.entries("a")) == 1


def test_show_info(ab):
    with open(ab.root / "packages/a/a.mk", "a", encoding="utf-8") as recipe:
        recipe.write("summary = A lamp = light\nlicence = MIT\nimage = /usr/share/a\n")
    info = ab.info()
    assert set(info) == {"a", "b", "c", "host-bubblewrap", "image", "init", "linux"}
    a = info["a"]
    assert {name: a[name] for name in ("version", "summary", "licence", "image", "files", "symbols", "recipe", "source", "build")} == {
        "version": "1", "summary": "A lamp = light", "licence": "MIT", "image": ["/usr/share/a"], "files": ["packages/a/file"],
        "symbols": ["CONFIG_COLOUR"], "recipe": "packages/a/a.mk", "source": ["https://example.invalid/a.tar"], "build": "own"}
    assert info["b"]["depends"] == ["a"]
    assert a["entry"] == ab.entry("a").name


def test_show_info_is_json_even_when_something_is_made_on_the_way(ab):
    """The configuration is checked again first; what Make does must not get into the data."""
    newer = (ab.o / "config.mk").stat().st_mtime + 5
    os.utime(ab.o / ".config", (newer, newer))
    assert set(json.loads(ab.make("show-info").out)) >= {"a", "b", "c"}


def test_show_info_is_json_with_commands_shown(ab):
    assert set(json.loads(ab.make("show-info", env={"V": "1"}).out)) >= {"a", "b", "c"}


SPEAKS = "step_build() { echo said by the build; }\n"


def test_quiet_by_default(tree):
    tree.package("a", SPEAKS)
    tree.configure("a")
    done = tree.make("a")
    assert done.err == ""
    assert [line.split()[0] for line in done.out.splitlines()] == ["BUILD", "DONE"]
    assert "said by the build" in tree.log("a").splitlines()


def test_v1_shows_the_output_of_builds(tree):
    tree.package("a", SPEAKS)
    tree.configure("a")
    done = tree.make("a", "V=1")
    assert "said by the build" in done.out.splitlines()
    assert "scripts/build-entry build a" in done.out
    assert "said by the build" in tree.log("a").splitlines()


def test_v2_says_why_too(tree):
    tree.package("a", SPEAKS)
    tree.configure("a")
    assert "a: never built here" in tree.make("a", "V=2").out
    tree.edit("packages/a/a.mk", "version = 1", "version = 2")
    done = tree.make("a", "V=2")
    assert "version: 1 → 2" in done.out
    assert "said by the build" in done.out.splitlines()


def test_v2_of_a_recipe_that_is_edited_meanwhile(tree):
    """It cannot say why then; what it builds is what it had read, and the half recipe broke that."""
    tree.package("a", "step_build() {\n" + GATE + "}\n")
    tree.package("b", depends="a")
    tree.configure("a", "b")
    make = tree.start("b", "V=2")
    tree.awaits("a", "waiting")
    tree.edit("packages/b/b.mk", "version", "versoin")
    tree.open_gate("a")
    done = make.wait()
    assert done.code == 0, done.err
    assert tree.out("b", "/usr/share/b") == "b\n"


@pytest.mark.parametrize("goal", ["packages/a", "packages/nosuch", "packages/a/a.mk", "output/images", "a/", "scripts"])
def test_a_path_is_no_goal(tree, goal):
    """It was there, or had a name that nothing makes: make said that there is nothing to do, and ended well."""
    tree.package("a")
    tree.configure("a")
    write(tree.root / "output/images/x", "x\n")
    says(tree.fails(goal), f"there is no goal or package '{goal}'", "make help")


def test_help_needs_no_configuration_and_names_the_goals(tree):
    done = tree.make("help")
    for word in ("list-defconfigs", "menuconfig", "savedefconfig", "<pkg>-rebuild", "<pkg>-shell", "why-<pkg>", "show-info",
                 "MIRROR=", "V=1"):
        assert word in done.out
    assert not tree.o.exists()


def test_images_is_replaced_as_a_whole(tree):
    tree.configure()
    tree.make()
    (tree.o / "images/old").write_text("from an earlier image")
    tree.package("a")
    tree.configure("a")
    tree.make()
    assert sorted(path.name for path in (tree.o / "images").iterdir()) == ["SHA256SUMS", "packages"]


def test_lost_images_come_back_without_a_build(tree):
    tree.configure()
    tree.make()
    shutil.rmtree(tree.o / "images")
    assert tree.make().built() == []
    assert (tree.o / "images/packages").exists()


def test_writing_where_one_may_not_names_the_path(tree):
    tree.configure()
    blocked = tree.base / "file"
    blocked.write_text("not a folder\n")
    done = tree.fails(env={"STORE": str(blocked / "store")})
    assert str(blocked) in done.err


WAITS = "step_build() {\n" + GATE + "}\n"


def test_a_terminal_has_one_status_line(tree):
    """And what is printed takes its place."""
    tree.package("a", WAITS)
    tree.package("b", depends="a")
    tree.configure("b")
    terminal = Terminal(tree, "b")
    terminal.expect("[0/2] a 0:0")
    tree.open_gate("a")
    terminal.expect("2 of 2")
    assert terminal.wait() == 0
    assert "\r\x1b[K  DONE    a 1" in terminal.text


def test_the_status_line_knows_how_long_it_took_last_time(tree):
    tree.package("a", WAITS)
    tree.configure("a")
    (tree.store / ".times").mkdir()
    (tree.store / ".times/a").write_text("600\n")
    terminal = Terminal(tree, "a")
    terminal.expect("about 10 min left")
    tree.open_gate("a")
    assert terminal.wait() == 0


def test_no_status_line_in_a_log(tree):
    tree.package("a", WAITS)
    tree.configure("a")
    make = tree.start("a")
    tree.awaits("a", "waiting")
    tree.open_gate("a")
    done = make.wait()
    assert "\x1b" not in done.all and "\r" not in done.all and "[0/1]" not in done.all
    assert not (tree.o / ".status").exists()


@pytest.mark.parametrize("text", ["", "\0\0\0\0", "soon\n"])
def test_a_status_line_without_sense(tree, text):
    """Times that a power cut left empty, or as zero bytes: a traceback ran across the terminal."""
    tree.package("a", WAITS)
    tree.configure("a")
    make = tree.start("a")
    tree.awaits("a", "waiting")
    (tree.store / ".times/a").write_text(text)
    terminal, other_end = pty.openpty()
    status = subprocess.Popen([tree.root / "scripts/status", str(make.process.pid), "1"], env=tree.env(), stderr=other_end)
    os.close(other_end)
    drawn = ""
    try:
        while "[0/1]" not in drawn and status.poll() is None:  # it draws, or gives up
            assert select.select([terminal], [], [], LIMIT)[0], "neither a line nor an end"
            try:
                drawn += os.read(terminal, 4096).decode(errors="replace")
            except OSError:  # the other side has closed
                status.wait(LIMIT)
        tree.open_gate("a")
        assert make.wait().code == 0
        assert status.wait(LIMIT) == 0
        while select.select([terminal], [], [], 0)[0]:
            try:
                drawn += os.read(terminal, 4096).decode(errors="replace")
            except OSError:
                break
    finally:
        status.kill()
        status.wait()
        os.close(terminal)
    assert "Traceback" not in drawn, drawn
    assert text or "[0/1] a 0:0" in drawn
