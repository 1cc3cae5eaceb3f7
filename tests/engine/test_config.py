"""Kconfig's goals: what they write, and what they say of a configuration that is wrong."""

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import time

import pytest

from .test_errors import says
from .test_hermetic import Terminal
from .tree import eventually, read


def test_no_configuration(tree):
    says(tree.fails(), f"No configuration in {tree.o}", "make <board>_defconfig", "list-defconfigs")


def test_unknown_board(tree):
    tree.configure()
    done = tree.fails("tset_defconfig")
    says(done, "There is no configs/tset_defconfig", "Did you mean test_defconfig?", "list-defconfigs")


def test_unknown_board_leaves_the_configuration_alone(tree):
    tree.configure(COLOUR='"blue"')
    before = read(tree.o / ".config")
    tree.fails("nosuch_defconfig", "all")
    assert read(tree.o / ".config") == before


def defconfig(tree, text):
    (tree.root / "configs/bad_defconfig").write_text(text)
    return tree.fails("bad_defconfig")


def test_misspelt_symbol(tree):
    done = defconfig(tree, "# Board\nCONFIG_COLOR=\"red\"\n")
    says(done, "configs/bad_defconfig:2", "there is no symbol CONFIG_COLOR", "Did you mean CONFIG_COLOUR?", "Nothing was changed")
    assert not (tree.o / ".config").exists()


def test_unmet_dependency_of_a_symbol(tree):
    says(defconfig(tree, "CONFIG_LAMP=y\n"), "configs/bad_defconfig:1", "CONFIG_LAMP=y", "comes out as 'n'", "it depends on LIGHT")


def test_value_of_the_wrong_type(tree):
    says(defconfig(tree, "CONFIG_LIGHT=maybe\n"), "configs/bad_defconfig:1", "CONFIG_LIGHT=maybe", "yes/no symbol")


def test_line_that_is_no_assignment(tree):
    says(defconfig(tree, "COLOUR=red\n"), "configs/bad_defconfig:1", "not an assignment: COLOUR=red")


def test_every_problem_is_listed(tree):
    says(defconfig(tree, "CONFIG_ONE=y\nCONFIG_TWO=y\nCONFIG_LAMP=y\n"), "CONFIG_ONE", "CONFIG_TWO", "CONFIG_LAMP")


def test_configuration_edited_by_hand_is_checked_before_building(tree):
    tree.package("a")
    tree.configure("a")
    with open(tree.o / ".config", "a", encoding="utf-8") as config:
        config.write("CONFIG_NOSUCH=y\n")
    newer = (tree.o / "config.mk").stat().st_mtime + 5
    os.utime(tree.o / ".config", (newer, newer))
    says(tree.fails("a"), ".config", "there is no symbol CONFIG_NOSUCH")
    assert tree.entries("a") == []


def switched_on(tree, name):
    """The text of .config with a package more."""
    off = f"# CONFIG_PACKAGE_{name.upper()} is not set"
    assert off in read(tree.o / ".config")
    return read(tree.o / ".config").replace(off, f"CONFIG_PACKAGE_{name.upper()}=y")


def test_what_is_edited_by_hand_is_in_the_first_image(tree):
    """It was only in the second one."""
    tree.package("a")
    tree.package("b")
    tree.configure("a")
    tree.make()
    (tree.o / ".config").write_text(switched_on(tree, "b"))
    assert tree.make().built() == ["b", "image"]
    assert read(tree.o / "images/packages").split() == ["a", "b", "init", "linux"]
    assert tree.make().built() == []


@pytest.mark.parametrize("time_of", ["it was saved", "the edit"])
@pytest.mark.parametrize("kconfig", ["is older", "is younger than both"])
def test_a_configuration_that_is_put_back_counts(tree, time_of, kconfig):
    """`cp -p` gives it the time that it had when it was saved: before config.mk's."""
    tree.package("a")
    tree.package("b")
    tree.configure("a", "b")
    saved = tree.base / "saved"
    shutil.copy2(tree.o / ".config", saved)
    tree.configure("a")
    now = (tree.o / ".config").stat().st_mtime
    os.utime(saved, (now, now) if time_of == "the edit" else (now - 3600, now - 3600))
    if kconfig == "is younger than both":
        for path in tree.root.rglob("Kconfig"):
            os.utime(path, (now + 3600, now + 3600))
    tree.make()
    assert read(tree.o / "images/packages").split() == ["a", "init", "linux"]
    for _ in range(2):
        shutil.copy2(saved, tree.o / ".config")
        tree.make()
        assert read(tree.o / "images/packages").split() == ["a", "b", "init", "linux"]


def test_error_in_a_kconfig_file_names_it(tree):
    tree.package("a")
    (tree.root / "packages/a/Kconfig").write_text("cnofig PACKAGE_A\n")
    says(tree.fails("list-defconfigs", "olddefconfig"), "packages/a/Kconfig:1")


def test_list_defconfigs(tree):
    (tree.root / "configs/one_defconfig").write_text("# The first board\n")
    (tree.root / "configs/two_defconfig").write_text("# The second board\n")
    done = tree.make("list-defconfigs")
    assert [line.split(None, 1) for line in done.out.splitlines()] == [["one_defconfig", "The first board"],
                                                                       ["two_defconfig", "The second board"]]


def test_a_link_to_nowhere_is_no_board(tree):
    """An editor's lock beside what it has open."""
    tree.configure()
    (tree.root / "configs/.#test_defconfig").symlink_to("me@host.4711:1700000000")
    assert tree.make("list-defconfigs").out.split()[0] == "test_defconfig"
    says(tree.fails("tset_defconfig"), "There is no configs/tset_defconfig. Did you mean test_defconfig?")
    says(tree.fails(".#test_defconfig"), "no")


def settings_of(tree):
    """All of .config but the line that says what it began with."""
    return [line for line in read(tree.o / ".config").splitlines() if not line.startswith("# It began as")]


def test_savedefconfig_round_trip(tree):
    tree.package("a")
    tree.configure("a", COLOUR='"blue"', LIGHT="y")
    config = settings_of(tree)
    tree.make("savedefconfig")
    saved = read(tree.o / "defconfig")
    head, *settings = saved.splitlines()
    assert head == "# A board for tests"
    assert sorted(settings) == ['CONFIG_COLOUR="blue"', "CONFIG_LIGHT=y", "CONFIG_PACKAGE_A=y"], "and no default"
    (tree.root / "configs/saved_defconfig").write_text(saved)
    tree.configure()
    assert settings_of(tree) != config
    tree.make("saved_defconfig")
    assert settings_of(tree) == config


def test_defconfig_does_not_keep_the_previous_board(tree):
    tree.configure(COLOUR='"blue"', board="one")
    tree.configure(board="two")
    assert 'CONFIG_COLOUR="red"' in read(tree.o / ".config")


def test_olddefconfig_gives_new_symbols_their_default(tree):
    tree.configure(COLOUR='"blue"')
    tree.edit("configs/Kconfig", "config LIGHT\n", 'config NEW\n\tstring "New"\n\tdefault "fresh"\n\nconfig LIGHT\n')
    tree.make("olddefconfig")
    config = read(tree.o / ".config")
    assert 'CONFIG_NEW="fresh"' in config and 'CONFIG_COLOUR="blue"' in config
    assert "CONFIG_NEW := fresh" in read(tree.o / "config.mk")


def test_a_new_symbol_gets_its_default_when_building(tree):
    tree.package("a")
    tree.configure("a")
    tree.edit("configs/Kconfig", "config LIGHT\n", 'config NEW\n\tstring "New"\n\tdefault "fresh"\n\nconfig LIGHT\n')
    newer = (tree.o / "config.mk").stat().st_mtime + 5
    os.utime(tree.root / "configs/Kconfig", (newer, newer))
    tree.make("a")
    assert "CONFIG_NEW := fresh" in read(tree.o / "config.mk")


def test_oldconfig_asks_for_new_symbols_only(tree):
    tree.configure(COLOUR='"blue"')
    tree.edit("configs/Kconfig", "config LIGHT\n", 'config NEW\n\tbool "New thing"\n\nconfig LIGHT\n')
    terminal = Terminal(tree, "oldconfig")
    terminal.expect("New thing")
    terminal.send("y")
    assert terminal.wait() == 0
    config = read(tree.o / ".config")
    assert "CONFIG_NEW=y" in config and 'CONFIG_COLOUR="blue"' in config
    assert "(COLOUR)" not in terminal.text


def test_menuconfig_opens_and_saves(tree):
    tree.configure(COLOUR='"blue"')
    terminal = Terminal(tree, "menuconfig")
    terminal.expect("Engine test")
    terminal.send_keys("q")
    assert terminal.wait() == 0
    assert 'CONFIG_COLOUR="blue"' in read(tree.o / ".config")


def test_values_with_special_characters(tree):
    """Make's own characters in a string symbol come through as they are."""
    tree.package("a", 'step_install() { mkdir /out/usr; printf "%s\\n" "$CONFIG_COLOUR" >/out/usr/colour; }\n', symbols="CONFIG_COLOUR")
    tree.configure("a", COLOUR='"a#b $c = (d) 100%"')
    tree.make("a")
    assert tree.out("a", "/usr/colour") == "a#b $c = (d) 100%\n"


# What is wrong in a file

KINDS = """
config COUNT
	int "Count"
	range 1 LIMIT if LIGHT
	range 1 19
	default 12

config LIMIT
	int "Limit"
	default 99

config ADDRESS
	hex "Address"
	range 0x10 0xff
	default 0x20

config DERIVED
	string
	default "one"

config SHY
	bool "Shy" if LIGHT

config GRASP
	bool "Grasp"
	select LAMP

config HOSTNAME
	string "Host name"
	default "copal"

config LAMPS
	bool "Lamps"
	select BULB

config BULB
	bool "Bulb"

choice
	prompt "Taste"

config SWEET
	bool "Sweet"

config SOUR
	bool "Sour"

endchoice

config IMAGE_OVERLAY
	string "Overlays"
"""


@pytest.fixture
def kinds(tree):
    tree.edit("configs/Kconfig", "config LIGHT\n", KINDS + "\nconfig LIGHT\n")
    return tree


WRONG = [
    # numbers
    ("CONFIG_COUNT=99", "CONFIG_COUNT=99", "its range is 1 to 19"),
    ("CONFIG_COUNT=0", "its range is 1 to 19"),
    ("CONFIG_LIGHT=y\nCONFIG_COUNT=100", "bad_defconfig:2", "its range is 1 to 99 (CONFIG_LIMIT)"),
    ("CONFIG_COUNT=many", "CONFIG_COUNT=many: it is a whole number"),
    ("CONFIG_COUNT=", "CONFIG_COUNT=: it is a whole number"),
    ("CONFIG_COUNT=1_0", "CONFIG_COUNT=1_0: it is a whole number"),
    ("CONFIG_COUNT=0x10", "CONFIG_COUNT=0x10: it is a whole number"),
    ("CONFIG_COUNT=010", "Write CONFIG_COUNT=10."),
    ("CONFIG_COUNT=+7", "Write CONFIG_COUNT=7."),
    ('CONFIG_COUNT="7"', "Write CONFIG_COUNT=7."),
    ("CONFIG_COUNT=7 # seven", "CONFIG_COUNT=7 # seven: it is a whole number"),
    ("# CONFIG_COUNT is not set", "only a yes/no symbol can be 'not set'", "CONFIG_COUNT=12"),
    ("CONFIG_ADDRESS=20", "a hexadecimal number, with 0x. Write CONFIG_ADDRESS=0x20."),
    ("CONFIG_ADDRESS=ff", "Write CONFIG_ADDRESS=0xff."),
    ('CONFIG_ADDRESS="0x20"', "Write CONFIG_ADDRESS=0x20."),
    ("CONFIG_ADDRESS=zz", "a hexadecimal number, with 0x."),
    ("CONFIG_ADDRESS=0x100", "its range is 0x10 to 0xff"),
    # texts
    ("CONFIG_COLOUR=blue", 'CONFIG_COLOUR=blue: a text has quotes. Write CONFIG_COLOUR="blue".'),
    ("CONFIG_COLOUR='blue'", 'Write CONFIG_COLOUR="blue".'),
    ('CONFIG_COLOUR=a\\b"c"d', r'Write CONFIG_COLOUR="a\\b\"c\"d".'),
    ('CONFIG_COLOUR=blue"', 'Write CONFIG_COLOUR="blue".'),
    ("CONFIG_COLOUR=", 'Write CONFIG_COLOUR="".'),
    ('CONFIG_COLOUR="blue', 'CONFIG_COLOUR="blue: the quote at the end is missing'),
    ('CONFIG_COLOUR="blue\\"', 'CONFIG_COLOUR="blue\\": the quote at the end is missing'),
    ('CONFIG_COLOUR="', "the quote at the end is missing"),
    ('CONFIG_COLOUR="a"b"', "more text after the closing quote"),
    ('CONFIG_COLOUR="blue" # a remark', "more text after the closing quote", "a remark has a line of its own"),
    ("# CONFIG_COLOUR is not set", "only a yes/no symbol can be 'not set'", 'CONFIG_COLOUR="red"'),
    ('CONFIG_COLOUR="a\tb"', "a character that cannot be seen", r"a\tb"),
    ('CONFIG_COLOUR="a\0b"', "a character that cannot be seen", r"a\x00b"),
    ('CONFIG_COLOUR="a\rb"', "a character that cannot be seen", r"a\rb"),
    ("# A remark\rCONFIG_LIGHT=y", "a character that cannot be seen", r"\rCONFIG"),
    ('CONFIG_COLOUR="a\x85b"', "a character that cannot be seen", r"a\x85b"),
    ('CONFIG_COLOUR="a\u200bb"', "a character that cannot be seen", r"a\u200bb"),
    # yes and no
    ('CONFIG_LIGHT="y"', 'CONFIG_LIGHT="y": it is a yes/no symbol. Write CONFIG_LIGHT=y.'),
    ("CONFIG_LIGHT=m", "there are no modules. Write CONFIG_LIGHT=y or '# CONFIG_LIGHT is not set'."),
    ("CONFIG_LIGHT=yes", "Write CONFIG_LIGHT=y."),
    ("CONFIG_LIGHT=0", "Write '# CONFIG_LIGHT is not set'."),
    ("CONFIG_LIGHT=", "it is a yes/no symbol"),
    ("CONFIG_LIGHT=y # why", "it is a yes/no symbol"),
    ("# CONFIG_LIGHT is not set any more", "more text after 'is not set'"),
    # what does not hold
    ("CONFIG_SHY=y", "CONFIG_SHY=y was asked for", "comes out as 'n'", "it depends on LIGHT"),
    ('CONFIG_DERIVED="two"', "comes out as 'one'", "it follows from other symbols. Delete the line"),
    ("CONFIG_LAMPS=y\n# CONFIG_BULB is not set", "bad_defconfig:2", "it is selected by LAMPS"),
    ("CONFIG_SWEET=y\nCONFIG_SOUR=y", "bad_defconfig:1", "of the same choice, CONFIG_SOUR is set"),
    ("# CONFIG_SWEET is not set\n# CONFIG_SOUR is not set", "bad_defconfig:1", "has to be set: CONFIG_SWEET, CONFIG_SOUR"),
    # lines
    ("CONFIG_LIGHT = y", "not an assignment: CONFIG_LIGHT = y", "without blanks around the ="),
    ("  CONFIG_LIGHT=y", "not an assignment:   CONFIG_LIGHT=y", "in the first column"),
    ('CONFIG_COLOUR="red"\nCONFIG_LIGHT=y\nCONFIG_COLOUR="blue"', "bad_defconfig:3", 'line 1 says CONFIG_COLOUR="red"'),
    ("CONFIG_LIGHT=y\n# CONFIG_LIGHT is not set", "bad_defconfig:2", "line 1 says CONFIG_LIGHT=y"),
    ("CONFIG_COUNT=2\nCONFIG_COUNT=3", "bad_defconfig:2", "line 1 says CONFIG_COUNT=2"),
    # what a text names
    ('CONFIG_BOARD="nosuch"', "bad_defconfig:1", "there is no folder board/nosuch."),
    ('CONFIG_BOARD="pizero"', "there is no folder board/pizero. Did you mean pizero2?"),
    ('CONFIG_BOARD="../configs"', "there is no folder board/../configs"),
    ('CONFIG_BOARD="."', "there is no folder board/."),
    ('CONFIG_BOARD="file"', "there is no folder board/file"),
    ("CONFIG_GRASP=y", "configs/Kconfig:", "CONFIG_LAMP", "selected by GRASP", "depends on LIGHT"),
    ('CONFIG_HOSTNAME="a b"', "bad_defconfig:1", "no host name"),
    ('CONFIG_HOSTNAME=""', "no host name"),
    ('CONFIG_HOSTNAME="-n"', "no host name"),
    (f'CONFIG_HOSTNAME="{"a" * 65}"', "no host name"),
    ('CONFIG_IMAGE_OVERLAY="scripts nosuch"', "bad_defconfig:1", "there is no folder nosuch."),
]


@pytest.mark.parametrize("lines, words", [pytest.param(lines, words, id=lines) for lines, *words in WRONG])
def test_what_is_wrong_is_named_with_what_to_write(kinds, lines, words):
    (kinds.root / "board/pizero2").mkdir(parents=True)
    (kinds.root / "board/file").write_text("")
    done = defconfig(kinds, lines + "\n")
    says(done, *words, "Nothing was changed")
    assert re.match(r"configs/\w+:\d+: ", done.err)
    assert len(done.err.splitlines()) <= 5
    assert not (kinds.o / ".config").exists()


RIGHT = ["CONFIG_GRASP=y\nCONFIG_LIGHT=y", 'CONFIG_HOSTNAME="n1.example"', f'CONFIG_HOSTNAME="{"a" * 64}"',
         "CONFIG_COUNT=19", "CONFIG_LIGHT=y\nCONFIG_COUNT=99", "CONFIG_COUNT=3\nCONFIG_COUNT=3", "CONFIG_ADDRESS=0xFF", "CONFIG_LIGHT=n",
         'CONFIG_BOARD=""', 'CONFIG_BOARD="pizero2"', 'CONFIG_IMAGE_OVERLAY="scripts configs"', 'CONFIG_COLOUR=""  ', "CONFIG_LIGHT=y\r",
         'CONFIG_COLOUR="say \\"a\\\\b\\""', 'CONFIG_COLOUR="\\\\"', "#CONFIG_NOSUCH=y", "# CONFIG_SOUR is set", "CONFIG_SOUR=y",
         "# CONFIG_SWEET is not set\nCONFIG_SOUR=y"]


@pytest.mark.parametrize("lines", RIGHT)
def test_what_is_right_is_taken_again_from_what_was_written(kinds, lines):
    (kinds.root / "board/pizero2").mkdir(parents=True)
    (kinds.root / "configs/good_defconfig").write_text(lines + "\n", newline="")
    assert kinds.make("good_defconfig").err == ""
    before = read(kinds.o / ".config"), read(kinds.o / "config.mk")
    kconfig(kinds, "check")
    assert (read(kinds.o / ".config"), read(kinds.o / "config.mk")) == before


def kconfig(tree, goal, code=0, **environment):
    """kconfig.py itself: Make's part is to call it."""
    done = subprocess.run([tree.root / "scripts/kconfig.py", goal], cwd=tree.root, env=tree.env() | environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr, done.stderr
    return done


def test_a_default_that_is_wrong_is_named_where_it_is_defined(tree):
    tree.edit("configs/Kconfig", 'string "Board"\n', 'string "Board"\n\tdefault "nosuch"\n')
    says(defconfig(tree, "CONFIG_LIGHT=y\n"), "configs/Kconfig:7", "there is no folder board/nosuch")


def test_a_number_without_a_value_is_named(tree):
    tree.edit("configs/Kconfig", "config LIGHT\n", 'config COUNT\n\tint "Count"\n\nconfig LIGHT\n')
    says(defconfig(tree, "CONFIG_LIGHT=y\n"), "configs/Kconfig:14", "CONFIG_COUNT", "neither a default nor a value")


def test_more_faults_than_fit_on_a_screen(tree):
    done = defconfig(tree, "".join(f"CONFIG_N{number}=y\n" for number in range(30)))
    says(done, "configs/bad_defconfig:20:", "… and 10 more")
    assert "bad_defconfig:21:" not in done.err


def test_a_fault_in_the_middle_hides_no_other(tree):
    says(defconfig(tree, "COLOUR=red\nCONFIG_LIGHT=maybe\nCONFIG_COLOUR=red\n"), "defconfig:1:", "defconfig:2:", "defconfig:3:")


def test_text_that_is_not_utf8(tree):
    tree.configure()
    (tree.o / ".config").write_bytes(b'CONFIG_LIGHT=y\nCONFIG_COLOUR="r\xf6t"\n')
    for goal in ("check", "olddefconfig", "oldconfig", "savedefconfig", "update-defconfig"):
        assert f"{tree.o}/.config:2: not UTF-8" in kconfig(tree, goal, 1).stderr


def test_lines_of_a_configuration_are_named_too(tree):
    tree.configure()
    number = len(read(tree.o / ".config").splitlines()) + 1
    with open(tree.o / ".config", "a", encoding="utf-8") as config:
        config.write("CONFIG_LIGHT=m\n")
    before = read(tree.o / ".config")
    for goal in ("check", "savedefconfig", "update-defconfig"):
        done = kconfig(tree, goal, 1)
        assert f"{tree.o}/.config:{number}: " in done.stderr and "make olddefconfig" in done.stderr
    assert read(tree.o / ".config") == before


def test_olddefconfig_says_what_it_drops(tree):
    tree.configure()
    with open(tree.o / ".config", "a", encoding="utf-8") as config:
        config.write('CONFIG_GONE=y\nCONFIG_COLOUR="blue"\n')
    done = tree.make("olddefconfig")
    says(done, "there is no symbol CONFIG_GONE", "does not count")
    assert 'CONFIG_COLOUR="blue"' in read(tree.o / ".config"), "the last line counts"
    assert tree.make("olddefconfig").err == ""


# Goals

@pytest.mark.parametrize("goal, words", [
    ("nconfig", ["menuconfig is what there is"]),
    ("xconfig", ["menuconfig is what there is"]),
    ("oldefconfig", ["There is no goal 'oldefconfig'", "Did you mean olddefconfig?"]),
    ("updatedefconfig", ["Did you mean update-defconfig?"]),
    ("defconfig", ["There is no goal 'defconfig'", "list-defconfigs"]),
    ("tst_defconfig", ["There is no configs/tst_defconfig", "Did you mean test_defconfig?"]),
])
def test_misspelt_goal(tree, goal, words):
    tree.configure()
    says(tree.fails(goal), *words)


@pytest.mark.parametrize("goal, meant", [("menuconfg", "menuconfig"), ("test_defcnfig", "test_defconfig"), ("test_def", "test_defconfig")])
def test_misspelt_goal_in_a_fresh_checkout(tree, goal, meant):
    (tree.root / "configs/test_defconfig").write_text("# A board\n")
    says(tree.fails(goal), f"No configuration in {tree.o}", f"Did you mean 'make {meant}'?")
    says(tree.fails("all"), f"No configuration in {tree.o}. Choose one")


def test_a_package_whose_name_ends_in_config(tree):
    tree.package("fontconfig")
    tree.configure("fontconfig")
    assert tree.make("fontconfig").built() == ["fontconfig"]


def test_why_of_a_package_whose_name_ends_in_config(tree):
    """It was taken for a goal of Kconfig."""
    tree.package("libconfig")
    tree.configure("libconfig")
    assert tree.make("why-libconfig").out == "libconfig: never built here\n"
    assert tree.make("libconfig", "why-linux").built() == ["libconfig"]
    both = tree.make("why-libconfig", "why-linux").out.splitlines()
    assert sorted(both) == ["libconfig: nothing changed: up to date", "linux: never built here"]
    says(tree.fails("why-libconfg"), "there is no package 'libconfg'. Did you mean libconfig?")


@pytest.mark.parametrize("goal", ["oldconfig", "olddefconfig", "savedefconfig", "update-defconfig"])
def test_goals_without_a_configuration(tree, goal):
    says(tree.fails(goal), f"No configuration in {tree.o}", "make <board>_defconfig")


def test_update_defconfig_writes_back_with_the_comments(tree):
    path = tree.root / "configs/lamp_defconfig"
    path.write_text('# A lamp\n# for the desk\nCONFIG_LIGHT=y\n# The night needs it.\nCONFIG_LAMP=y\n'
                    '# Nobody likes red.\nCONFIG_COLOUR="blue"\n')
    tree.make("lamp_defconfig")
    with open(tree.o / ".config", "a", encoding="utf-8") as config:
        config.write("# CONFIG_LAMP is not set\n")
    tree.make("olddefconfig", "update-defconfig")
    assert read(path) == '# A lamp\n# for the desk\n# Nobody likes red.\nCONFIG_COLOUR="blue"\nCONFIG_LIGHT=y\n'
    assert sorted(file.name for file in path.parent.iterdir()) == ["Kconfig", "lamp_defconfig"]


def test_update_defconfig_to_another_name(tree):
    tree.configure(COLOUR='"blue"')
    assert "configs/other_defconfig is new" in tree.make("update-defconfig", "DEFCONFIG=other").out
    assert read(tree.root / "configs/other_defconfig") == '# A board for tests\nCONFIG_COLOUR="blue"\n'
    (tree.root / "configs/test_defconfig").unlink()
    assert "configs/other_defconfig\n" in tree.make("update-defconfig").out, "from now on it is that one's configuration"


def test_update_defconfig_that_does_not_know_where_to(tree):
    tree.configure(board="one")
    (tree.root / "configs/one_defconfig").unlink()
    says(tree.fails("update-defconfig"), "configs/one_defconfig", "not there any more", "DEFCONFIG=<board>_defconfig")
    (tree.o / ".config").write_text("CONFIG_LIGHT=y\n")
    says(tree.fails("update-defconfig"), "not known", "DEFCONFIG=<board>_defconfig")
    says(tree.fails("update-defconfig", "DEFCONFIG=../x"), "'../x_defconfig' is no name")
    (tree.o / ".config").write_text("# It began as configs/../../one_defconfig\n")
    says(tree.fails("update-defconfig"), "is no name")


def test_the_origin_outlives_the_goals_that_write(tree):
    tree.configure()
    tree.make("olddefconfig")
    kconfig(tree, "check")
    terminal = Terminal(tree, "menuconfig")
    terminal.expect("Engine test")
    terminal.send_keys("s")
    terminal.expect("Filename")
    terminal.send_keys("\n")
    terminal.expect("Success")
    terminal.send_keys(" q")
    assert terminal.wait() == 0
    assert "configs/test_defconfig\n" in tree.make("update-defconfig").out
    assert sorted(path.name for path in tree.o.iterdir()) == [".config", ".copal-output", "config.mk"]


# config.mk

NASTY = ["'", '"', "a'b\"c", "$", "$$", "$(COLOUR)", "${HOME}", "$x $", "#", "a#b", r"\#", r"\\#", r"a\\\#b#", "\\", "\\\\", "a\\",
         "a\\\\\\", r"a\b", r"\$", r"$\#$", " ", "   ", " a", "a ", "  a  ", " \\", "\\ ", " #", "# ", ":=", "= a", "a := b", "?=", "+=",
         "a:b", "%", "a%b", "(", ")", "$(", ")(", ",", "a, b", ";", "&&", "`id`", "|", "*", "~", "!", "define", "endef", "ifdef X",
         "include x", "override", "@", "-", "é ✓", "\u2603", "", "a" * 5000]


def test_config_mk_carries_every_text_intact(tree):
    """Make's own reading of it, byte for byte."""
    names = [f"NASTY_{number}" for number in range(len(NASTY))]
    symbols = "".join(f'config {name}\n\tstring "{name}"\n\n' for name in names)
    tree.edit("configs/Kconfig", "config LIGHT\n", symbols + "config LIGHT\n")
    escaped = [value.replace("\\", "\\\\").replace('"', '\\"') for value in NASTY]
    tree.configure(**{name: f'"{value}"' for name, value in zip(names, escaped)})
    kconfig(tree, "check")
    lines = "".join(f"$(info $(CONFIG_{name}))\n" for name in names)
    (tree.base / "print.mk").write_text(f"include {tree.o}/config.mk\n{lines}all: ;\n")
    done = subprocess.run(["make", "-rRf", tree.base / "print.mk"], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:len(NASTY)] == NASTY
    assert done.stderr == ""
    for line in read(tree.o / "config.mk").splitlines()[2:]:
        assert re.fullmatch(r"CONFIG_\w+ :=( .*)?", line)
        assert line == line.rstrip()


@pytest.mark.parametrize("goal", ["all", "a", "show-info"])
def test_an_emptied_config_mk_is_written_again(tree, goal):
    """As a power cut may leave it: `make` ended well, and had built nothing."""
    tree.package("a")
    tree.configure("a")
    whole = read(tree.o / "config.mk")
    facts = (tree.o / "config.mk").stat()
    (tree.o / "config.mk").write_text("")
    os.utime(tree.o / "config.mk", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    tree.make(goal)
    assert read(tree.o / "config.mk") == whole
    assert goal != "all" or read(tree.o / "images/packages").split() == ["a", "init", "linux"]


@pytest.mark.parametrize("ahead", ["configs/Kconfig", "scripts/kconfig.py"])
def test_a_time_in_the_future_does_not_keep_make_reading(tree, ahead):
    tree.package("a")
    tree.configure("a")
    later = time.time() + 3600
    os.utime(tree.root / ahead, (later, later))
    assert tree.make("show-info", limit=60)


def test_a_configuration_that_somebody_else_wrote_meanwhile_is_read(tree):
    """As when two makes write it at once, and the one's config.mk comes after the other's .config."""
    tree.configure(board="one")
    mine = read(tree.o / "config.mk")
    tree.configure(board="two", COLOUR='"blue"')
    older = (tree.o / ".config").stat().st_mtime - 1
    (tree.o / "config.mk").write_text(mine)
    os.utime(tree.o / "config.mk", (older, older))
    tree.make("show-info")
    assert "CONFIG_COLOUR := blue" in read(tree.o / "config.mk")


def test_makes_that_configure_at_once(tree):
    for number in range(6):
        (tree.root / f"configs/b{number}_defconfig").write_text(f'# Board\nCONFIG_COLOUR="{number}"\n')
    under_way = [tree.start(f"b{number}_defconfig") for number in range(6)]
    assert [make.wait().code for make in under_way] == [0] * 6
    assert sorted(path.name for path in tree.o.iterdir()) == [".config", ".copal-output", "config.mk"]
    kconfig(tree, "check")


def test_symbols_on_the_command_line_are_refused(tree):
    """They would be stronger than what Kconfig has checked, and no file would say so."""
    tree.configure()
    says(tree.fails("show-info", "CONFIG_COLOUR=blue"), "CONFIG_COLOUR=blue", "menuconfig", f"{tree.o}/.config")
    assert json.loads(tree.make("show-info", env={"CONFIG_COLOUR": "blue"}).out)


@pytest.mark.parametrize("goal", ["help", "clean", "list-defconfigs", "test_defconfig"])
def test_a_symbol_in_the_environment_is_not_taken_for_a_configuration(tree, goal):
    """Make knew CONFIG_ARCH, and went on to a plan of what was never configured."""
    (tree.root / "configs/test_defconfig").write_text("# A board\n")
    done = tree.make(goal, env={"CONFIG_ARCH": "x86_64"})
    assert done.err == ""
    assert goal == "test_defconfig" or not tree.o.exists()
    says(tree.fails("distclean", "all", env={"CONFIG_ARCH": "x86_64"}), f"No configuration in {tree.o}")


def test_the_environment_of_a_kernel_developer(tree):
    tree.configure(COLOUR='"blue"')
    tree.make("test_defconfig", env={"srctree": "/nonexistent", "CONFIG_": "X_", "KCONFIG_CONFIG_HEADER": "x"})
    assert 'CONFIG_COLOUR="blue"' in read(tree.o / ".config")


# What comes from outside

def test_a_reader_that_goes_away(tree):
    for number in range(500):
        (tree.root / f"configs/b{number:03}_defconfig").write_text(f"# {'A board with a long description ' * 8}\n")
    for goal in ("list-defconfigs", "b001_defconfig"):
        done = subprocess.run(["bash", "-c", f"set -o pipefail; make {goal} | true"], cwd=tree.root, env=tree.env(),
                              capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_questions_that_nobody_answers(tree):
    tree.configure()
    tree.edit("configs/Kconfig", "config LIGHT\n", 'config NEW\n\tbool "New thing"\n\nconfig LIGHT\n')
    before = read(tree.o / ".config")
    says(tree.fails("oldconfig"), "Nothing was changed", "make olddefconfig")
    assert read(tree.o / ".config") == before


def test_an_answer_out_of_range_is_said(kinds):
    kinds.configure()
    kinds.edit("configs/Kconfig", "config LIGHT\n", 'config NEW\n\tint "New"\n\trange 1 5\n\tdefault 2\n\nconfig LIGHT\n')
    terminal = Terminal(kinds, "oldconfig")
    terminal.expect("New")
    terminal.send("9")
    terminal.expect("outside the active range ([1, 5])")
    assert terminal.wait() == 0


@pytest.mark.parametrize("goal", ["test_defconfig", "check", "olddefconfig", "oldconfig", "savedefconfig", "update-defconfig"])
def test_a_full_disk_loses_nothing(tree, goal):
    """O is on a disk that holds the configuration and no more."""
    tree.configure(COLOUR='"blue"')
    before = read(tree.o / ".config")
    # On the small disk, the origin's folder is too.
    small = tree.base / "small"
    small.mkdir()
    script = (f"mount -t tmpfs -o size=64k none {small} && cp -r {tree.o} {small}/o && cp -r configs {small}/ && "
              f"mount --bind {small}/configs configs && head -c 1M /dev/zero >{small}/ballast; "
              f"export O={small}/o; scripts/kconfig.py {goal}; echo code $?; ls -A $O configs; cat $O/.config")
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c", script], cwd=tree.root, env=tree.env(), capture_output=True,
                          text=True, check=False)
    if "code" not in done.stdout:
        pytest.skip(f"no mount namespace here: {done.stderr.strip()}")
    assert "No space left on device" in done.stderr and "Traceback" not in done.stderr
    assert re.search(rf"^({small}/o/|configs/)\S+: No space left on device", done.stderr, re.M), done.stderr
    assert "code 1\n" in done.stdout and ".tmp" not in done.stdout
    assert done.stdout.endswith(before)


@pytest.mark.parametrize("goal", ["check", "olddefconfig", "oldconfig", "savedefconfig", "update-defconfig"])
def test_a_folder_for_a_configuration(tree, goal):
    (tree.o / ".config").mkdir(parents=True)
    assert kconfig(tree, goal, 1).stderr == f"{tree.o}/.config: Is a directory.\n"


def test_output_that_cannot_be_made(tree):
    tree.configure()
    (tree.base / "file").write_text("not a folder\n")
    done = kconfig(tree, "test_defconfig", 1, O=str(tree.base / "file/o"))
    assert done.stderr == f"{tree.base}/file/o: Not a directory.\n"


def interrupted(tree, goal, when, **environment):
    """Ctrl-C, once the test says when."""
    process = subprocess.Popen([tree.root / "scripts/kconfig.py", goal], cwd=tree.root, env=tree.env() | environment,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        eventually(when, "it is under way", 60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        return process.returncode, out + err
    finally:
        process.kill()


SLOW = "checkout/configs/slow_defconfig"


@pytest.mark.parametrize("goal, path", [("slow_defconfig", SLOW), ("list-defconfigs", SLOW), ("check", "o/.config"),
                                        ("olddefconfig", "o/.config")])
def test_interrupted(tree, goal, path):
    tree.o.mkdir()
    os.mkfifo(tree.base / path)

    def reads():
        with contextlib.suppress(OSError):
            return os.open(tree.base / path, os.O_WRONLY | os.O_NONBLOCK)

    assert interrupted(tree, goal, reads) == (-signal.SIGINT, "")
    assert [file.name for file in tree.o.iterdir()] in ([], [".config"])


def test_interrupted_before_it_has_begun(tree):
    home = tree.base / "slow"
    home.mkdir()
    (home / "kconfiglib.py").write_text("import time\nopen(__file__ + '.here', 'w')\ntime.sleep(60)\n")
    assert interrupted(tree, "list-defconfigs", (home / "kconfiglib.py.here").exists, PYTHONPATH=str(home)) == (-signal.SIGINT, "")


# menuconfig

class Bare:
    """kconfig.py menuconfig on a terminal that is taken away."""

    def __init__(self, tree, *, ignoring=(), **environment):
        self.master, slave = pty.openpty()

        def prepare():
            for number in ignoring:
                signal.signal(number, signal.SIG_IGN)

        self.process = subprocess.Popen([tree.root / "scripts/kconfig.py", "menuconfig"], cwd=tree.root, stdin=slave, stdout=slave,
                                        stderr=subprocess.PIPE, text=True, preexec_fn=prepare, start_new_session=True,
                                        env=tree.env() | {"TERM": "vt100", "LINES": "24", "COLUMNS": "80"} | environment)
        os.close(slave)

    def read_until(self, word):
        text = ""

        def came():
            nonlocal text
            text += os.read(self.master, 4096).decode(errors="replace")
            return word in text

        eventually(came, f"{word!r} came", 60)


@pytest.mark.parametrize("ignoring", [[], [signal.SIGHUP]], ids=["another session", "nohup"])
def test_menuconfig_ends_with_its_terminal(tree, ignoring):
    tree.configure()
    menu = Bare(tree, ignoring=ignoring)
    try:
        menu.read_until("Engine test")
        os.close(menu.master)
        _, err = menu.process.communicate(timeout=10)
        assert "the terminal has gone" in err and "Traceback" not in err
        assert menu.process.returncode == 1
    finally:
        menu.process.kill()


def test_menuconfig_interrupted(tree):
    tree.configure()
    menu = Bare(tree)
    try:
        menu.read_until("Engine test")
        menu.process.send_signal(signal.SIGINT)
        _, err = menu.process.communicate(timeout=10)
        assert (menu.process.returncode, err) == (-signal.SIGINT, "")
    finally:
        menu.process.kill()


def test_menuconfig_on_a_terminal_that_nobody_knows(tree):
    tree.configure()
    menu = Bare(tree, TERM="nosuch")
    _, err = menu.process.communicate(timeout=10)
    assert "TERM=nosuch" in err and "Traceback" not in err
    assert menu.process.returncode == 1


def test_menuconfig_with_a_foreign_locale(tree):
    tree.configure()
    menu = Bare(tree, LC_ALL="xx_XX.UTF-8")
    menu.read_until("Engine test")
    os.write(menu.master, b"q")
    _, err = menu.process.communicate(timeout=10)
    assert (menu.process.returncode, err) == (0, "")


def test_menuconfig_says_what_is_wrong_with_what_was_saved(tree):
    tree.configure()
    terminal = Terminal(tree, "menuconfig")
    terminal.expect("Engine test")
    terminal.send_keys("\nnosuch\n")
    terminal.send_keys("qy")
    terminal.expect("there is no folder board/nosuch")
    assert terminal.wait() == 2
    says(tree.fails("show-info"), f"{tree.o}/.config:", "there is no folder board/nosuch")
