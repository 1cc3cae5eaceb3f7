"""A build is a pure function: what it sees, what it cannot see, and that its result is the same everywhere."""

import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from .tree import EPOCH, LIMIT, read, write

HOST_ENVIRONMENT = {"NAME", "VERSION", "SOURCES", "JOBS", "SOURCE_DATE_EPOCH", "LC_ALL", "TZ", "PATH", "MAKEFLAGS", "DESTDIR",
                    "BUILD_TRIPLET", "recipe_build", "recipe_configure", "recipe_version", "CONFIG_COLOUR"}
TARGET_ENVIRONMENT = HOST_ENVIRONMENT | {
    "TARGET", "TARGET_KERNEL_ARCH", "TARGET_KERNEL_IMAGE", "TARGET_GOARCH", "TARGET_MESON_CPU", "TARGET_GCC_ARGS",
    "CC", "CXX", "AR", "RANLIB", "STRIP", "LD", "NM", "OBJCOPY", "READELF", "CFLAGS", "CXXFLAGS", "LDFLAGS",
    "PKG_CONFIG_SYSROOT_DIR", "PKG_CONFIG_LIBDIR"}
OF_BASH = {"PWD", "OLDPWD", "SHLVL", "_"}

FACTS = r"""
fact() { echo "$1" >>/build/facts; }
step_build() {
    fact "hostname $(hostname)"
    fact "umask $(umask)"
    fact "home ${HOME-none}"
    fact "uid $(id -u) $(id -g)"
    fact "pwd $PWD"
    fact "local $(find /usr/local -mindepth 1 | wc -l)"
    fact "tmp $(find /tmp -mindepth 1 | wc -l)"
    fact "etc $(find /etc -mindepth 1 -maxdepth 1 -printf '%f ' | tr ' ' '\n' | sort | xargs)"
    fact "interfaces $(sed -n 's/^ *\([a-z0-9]*\):.*/\1/p' /proc/net/dev | xargs)"
    fact "routes $(tail -n +2 /proc/net/route | wc -l)"
    fact "root $(find / -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs)"
    for path in /usr/copal-test /usr/local/bin/../../copal-test /src/a.tar /sysroot/x /host/x /etc/ld.so.cache; do
        (echo x >>"$path") 2>/dev/null && fact "writable $path"
    done
    fact "processes $(find /proc -maxdepth 1 -name '[0-9]*' | wc -l)"
}
step_install() { install -D /build/facts /out/usr/facts; }
"""


def environment_of(tree, name):
    return dict(line.split("=", 1) for line in tree.log(name).splitlines() if re.match(r"\w+=", line))


DUMP = "step_build() { env; }\nstep_install() { mkdir -p /out/host/share; }\n"


def test_a_build_sees_a_fixed_environment(tree):
    tree.package("host-a", DUMP, configure="--x", symbols="CONFIG_COLOUR")
    tree.package("a", DUMP.replace("/out/host", "/out/usr"), configure="--x", symbols="CONFIG_COLOUR", depends="host-a")
    tree.configure("a")
    foreign = {"EVIL": "1", "CFLAGS": "-O0", "LD_LIBRARY_PATH": "/tmp", "PKG_CONFIG_PATH": "/x", "BASH_ENV": "/x", "TMPDIR": "/x",
               "PYTHONPATH": "/x", "CDPATH": "/", "LANG": "de_DE.UTF-8", "DISPLAY": ":0"}
    tree.make("-j2", "a", env=foreign)
    host, target = environment_of(tree, "host-a"), environment_of(tree, "a")
    assert set(host) - OF_BASH == HOST_ENVIRONMENT
    assert TARGET_ENVIRONMENT - {"TARGET_GCC_ARGS"} <= set(target) - OF_BASH <= TARGET_ENVIRONMENT
    expected = {"NAME": "a", "VERSION": "1", "LC_ALL": "C", "TZ": "UTC", "PATH": "/host/bin:/usr/bin:/bin", "SOURCE_DATE_EPOCH": str(EPOCH),
                "recipe_configure": "--x", "CONFIG_COLOUR": "red", "DESTDIR": "/out", "JOBS": "1"}
    assert {name: target[name] for name in expected} == expected
    assert "-O0" not in target["CFLAGS"]


INNER_MAKE = r"""
step_build() {
    printf '%s\n' 'V := inner' 'all: ; @echo "V=$(V) O=$(O) CFLAGS=$(CFLAGS) STORE=$(STORE)"' >Makefile
    make
}
step_install() { mkdir -p /out/usr; echo good >/out/usr/good; }
"""


@pytest.mark.parametrize("words", [["V=1"], ["O={o}"], ["CFLAGS=-O0"], ["STORE={store}"], []], ids=lambda words: " ".join(words) or "-")
def test_variables_of_the_command_line_do_not_reach_inner_makes(tree, words):
    """They would be stronger than what the package's own makefiles say: `make O=x` must not send the kernel's output to x."""
    tree.package("a", INNER_MAKE.replace("$(CFLAGS)", "$(origin CFLAGS)"))
    tree.configure("a")
    tree.make("a", *[word.format(o=tree.o, store=tree.store) for word in words])
    line = next(line for line in tree.log("a").splitlines() if line.startswith("V="))
    assert line == "V=inner O= CFLAGS=environment STORE="


def test_inner_makes_have_their_built_in_rules(tree):
    """The engine's own -rR is not the packages'."""
    tree.package("a", "step_build() {\n    echo 'int x;' >x.c\n    make x.o CC=gcc\n}\n"
                      "step_install() { mkdir /out/usr; cp x.o /out/usr/; }\n")
    tree.configure("a")
    tree.make("a")
    assert (tree.entry("a") / "tree/usr/x.o").stat().st_size


@pytest.mark.parametrize("flag", ["-i", "-k", "-s", "-w", "--trace"])
def test_flags_of_make_do_not_reach_inner_makes(tree, flag):
    """With -i, errors in a package would be ignored, and its remains be stored as a good result."""
    tree.package("a", "step_build() { printf 'all: ; @echo flags=$(MAKEFLAGS)' >Makefile; make; }\n")
    tree.configure("a")
    tree.make(flag, "a", "-j1")
    assert [line for line in tree.log("a").splitlines() if line.startswith("flags=")] == ["flags="]


@pytest.mark.parametrize("flag", ["-n", "-q", "-t"])
def test_make_that_should_only_look_builds_nothing(tree, flag):
    tree.package("a", "step_build() { printf 'all: ; touch made' >Makefile; make || :; }\n"
                      "step_install() { mkdir /out/usr; cp made /out/usr/ || :; }\n")
    tree.configure("a")
    tree.make("show-info")
    assert tree.run(flag, "a").built() == []
    assert tree.entries("a") == []
    assert tree.make("a").built() == ["a"]
    assert (tree.entry("a") / "tree/usr/made").is_file()


def test_what_the_sandbox_shows(tree):
    pin = tree.source("a.tar", {"x": "x"})
    tree.package("host-a")
    tree.package("b")
    tree.package("a", FACTS, source="https://example.invalid/a.tar", sha256=pin, depends="host-a b")
    tree.configure("a")
    tree.make("a", env={"HOME": str(tree.home)})
    facts = {}
    for line in tree.out("a", "/usr/facts").splitlines():
        name, _, value = line.partition(" ")
        facts.setdefault(name, []).append(value)
    assert int(facts.pop("processes")[0]) < 12, "processes of the host are seen"
    folders = "bin build dev etc host lib lib32 lib64 libx32 out proc sbin src sysroot tmp usr"
    assert set(facts.pop("root")[0].split()) <= set(folders.split())
    assert set(facts.pop("etc")[0].split()) <= {"alternatives", "ld.so.cache"}
    assert facts == {"hostname": ["copal"], "umask": ["0022"], "home": ["none"], "uid": ["0 0"], "pwd": ["/build/src"], "local": ["0"],
                     "tmp": ["0"], "interfaces": ["lo"], "routes": ["0"]}, "nothing of the host, of sources and of dependencies is writable"


def test_only_declared_dependencies_are_there(tree):
    """And only direct ones."""
    look = "step_install() { mkdir -p /out/usr; find /sysroot/usr/share /host/share -type f >/out/usr/seen; }\n"
    tree.package("deep")
    tree.package("lib", depends="deep")
    tree.package("undeclared")
    tree.package("host-tool")
    tree.package("second")
    tree.package("a", look, depends="lib second undeclared host-tool")
    tree.package("b", look.replace(" /host/share", ""), depends="lib")
    tree.configure("a", "b", "undeclared")
    tree.make("undeclared", "a", "b")
    assert sorted(tree.out("a", "/usr/seen").split()) == ["/host/share/host-tool", "/sysroot/usr/share/lib", "/sysroot/usr/share/second",
                                                         "/sysroot/usr/share/undeclared"]
    assert tree.out("b", "/usr/seen").split() == ["/sysroot/usr/share/lib"]


def test_without_dependencies_host_and_sysroot_are_empty(tree):
    tree.package("a", "step_install() { mkdir /out/usr; find /host /sysroot -mindepth 1 >/out/usr/seen; }\n")
    tree.configure("a")
    tree.make("a")
    assert tree.out("a", "/usr/seen") == ""


def test_files_patches_and_scripts_are_given_and_nothing_else(tree):
    home = tree.package("a", "step_install() { mkdir /out/usr; (cd /build && find recipe files -type f | sort) >/out/usr/seen; }\n",
                        files="packages/a/one packages/a/folder", source="https://example.invalid/a.tar",
                        sha256=tree.source("a.tar", {"x": "old\n"}))
    for name in ("one", "folder/two", "unnamed"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(name)
    (home / "a-1.patch").write_text("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n")
    tree.configure("a")
    tree.make("a")
    assert tree.out("a", "/usr/seen").split() == ["files/packages/a/folder/two", "files/packages/a/one", "recipe/a-1.patch", "recipe/a.sh",
                                                  "recipe/common.sh"]


def test_patches_are_applied_in_order(tree):
    home = tree.package("a", "step_install() { install -D x /out/usr/x; }\n", source="https://example.invalid/a.tar",
                        sha256=tree.source("a.tar", {"x": "one\n"}))
    for name, old, new in (("a-2.patch", "two", "three"), ("a-1.patch", "one", "two")):
        (home / name).write_text(f"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-{old}\n+{new}\n")
    tree.configure("a")
    tree.make("a")
    assert tree.out("a", "/usr/x") == "three\n"


MESSY = """\
step_install() {
    mkdir -p /out/usr/bin /out/usr/share/man/man1 /out/usr/share/doc /out/usr/lib
    echo x >/out/usr/bin/x; chmod 700 /out/usr/bin/x
    echo y >/out/usr/y; chmod 666 /out/usr/y; touch -d 2001-01-01 /out/usr/y
    ln -s y /out/usr/link
    touch /out/usr/share/man/man1/x.1 /out/usr/share/doc/x /out/usr/lib/x.la
    date >/dev/null; umask >/out/usr/umask
}
"""


def test_times_and_modes_of_an_entry_are_canonical(tree):
    tree.package("a", MESSY)
    tree.configure("a")
    tree.make("a")
    root = tree.entry("a") / "tree"
    paths = [root, *root.rglob("*")]
    assert {path.lstat().st_mtime for path in paths} == {EPOCH}
    modes = {str(path.relative_to(root)): path.lstat().st_mode & 0o7777 for path in paths if not path.is_symlink()}
    assert modes == {".": 0o755, "usr": 0o755, "usr/bin": 0o755, "usr/bin/x": 0o755, "usr/lib": 0o755, "usr/share": 0o755, "usr/y": 0o644,
                     "usr/umask": 0o644}, "manuals and *.la are gone"


def test_same_bytes_from_elsewhere_and_from_another_user_setup(tree, new_tree):
    other = new_tree("a-much-longer-name-of-a-folder", checkout="a/b/c")
    shutil.rmtree(other.root)
    shutil.copytree(tree.root, other.root, symlinks=True)
    for each in (tree, other):
        each.package("host-tool")
        each.package("a", MESSY + 'step_build() { pwd; env | grep -v MAKEFLAGS | sort >/out/env; }\n', depends="host-tool")
        each.configure("a")
    tree.make("a", "-j1", umask=0o022)
    other.make("a", "-j4", umask=0o077, env={"TZ": "Asia/Tokyo", "LANG": "tr_TR.UTF-8", "HOME": "/nonexistent", "SHELL": "/bin/sh"})
    assert tree.entry("a").name == other.entry("a").name
    assert read(tree.entry("a") / "manifest") == read(other.entry("a") / "manifest")
    assert subprocess.run(["diff", "-r", tree.entry("a"), other.entry("a")], check=False).returncode == 0


def test_setuid_is_refused(tree):
    tree.package("a", "step_install() { mkdir /out/usr; touch /out/usr/evil; chmod 4755 /out/usr/evil; }\n")
    tree.configure("a")
    done = tree.fails("a")
    assert "/usr/evil" in done.err and "setuid" in done.err
    assert tree.entries("a") == []


def test_host_package_installs_below_host_only(tree):
    tree.package("host-a", "step_install() { mkdir -p /out/host /out/usr/bin; }\n")
    tree.package("a", depends="host-a")
    tree.configure("a")
    done = tree.fails("a")
    assert "installed outside of /host: ./usr" in done.err


def test_rebuild_says_that_the_same_bytes_came_out(tree):
    tree.package("a")
    tree.configure("a")
    tree.make("a")
    before = tree.entry("a").stat().st_ino
    done = tree.make("a-rebuild")
    assert done.built() == ["a"]
    assert "the same bytes as before" in done.out and "NOT" not in done.all
    assert tree.entry("a").stat().st_ino == before, "others may be using it"
    assert tree.make("a").built() == []


def test_rebuild_says_that_other_bytes_came_out(tree):
    tree.package("a", "step_install() { mkdir /out/usr; echo same >/out/usr/same; cat /proc/sys/kernel/random/uuid >/out/usr/differs; }\n")
    tree.configure("a")
    tree.make("a")
    before = tree.out("a", "/usr/differs")
    done = tree.fails("a-rebuild")
    assert "NOT the same bytes as before" in done.err
    assert "    /usr/differs\n" in done.err and "/usr/same" not in done.err, "it says what differs"
    assert tree.out("a", "/usr/differs") == before, "others may be using it"
    (other,) = (tree.store / ".work").glob("a-1-*.tree/out/usr/differs")
    assert str(other.parents[1]) in done.err and read(other) != before


def test_rebuild_of_what_was_never_built(tree):
    tree.package("deep")
    tree.package("a", depends="deep")
    tree.configure("a")
    done = tree.make("a-rebuild")
    assert done.built() == ["deep", "a", "a"]
    assert "the same bytes as before" in done.out


def test_a_failing_rebuild_keeps_the_old_result(tree):
    tree.package("a", "step_build() { :; }\n")
    tree.configure("a")
    tree.make("a")
    entry = tree.entry("a")
    # Not an input: what the machine lacks today.
    broken = tree.base / "broken"
    shutil.copytree(tree.tools, broken)
    (broken / "store").write_text("#!/bin/sh\nexit 1\n")
    tree.fails("a-rebuild", env={"TOOLS": str(broken)})
    assert entry.exists()
    assert tree.make("a").built() == []


class Terminal:
    """A make with a terminal of its own."""

    def __init__(self, tree, *words):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(tree.root)
            os.execvpe("make", ["make", *words], tree.env() | {"TERM": "vt100", "LINES": "24", "COLUMNS": "80"})

    def expect(self, word):
        end = time.monotonic() + LIMIT
        while word not in self.text:
            assert time.monotonic() < end, f"{word!r} did not come:\n{self.text}"
            if select.select([self.fd], [], [], 1)[0]:
                try:
                    self.text += os.read(self.fd, 4096).decode(errors="replace")
                except OSError as error:  # the other side has closed
                    raise AssertionError(f"it ended without {word!r}:\n{self.text}") from error

    def send(self, line):
        self.send_keys(line + "\n")

    def send_keys(self, keys):
        os.write(self.fd, keys.encode())

    def wait(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.mark.parametrize("failed", [False, True], ids=["fresh", "after a failure"])
def test_shell_enters_the_sandbox(tree, failed):
    tree.package("a", "step_build() { touch trace; false; }\n", source="https://example.invalid/a.tar",
                 sha256=tree.source("a.tar", {"x": "source\n"}))
    tree.configure("a")
    if failed:
        tree.fails("a")
    terminal = Terminal(tree, "a-shell")
    terminal.expect("SHELL")
    terminal.send("cd /build/src; echo \"host=$(hostname) home=${HOME-none} files=$(echo *)\"; tty")
    terminal.expect("host=copal home=none files=" + ("trace x" if failed else "x"))
    terminal.send("exit")
    assert terminal.wait() == 0
    assert tree.entries("a") == []


PATCH = "Why: a test\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-source\n+patched\n"


@pytest.mark.parametrize(("goal", "x", "configured"), [("extract", "source", False), ("patch", "patched", False),
                                                       ("configure", "patched", True)])
def test_steps_of_a_build_leave_a_tree_where_a_shell_goes_on(tree, goal, x, configured):
    home = tree.package("a", "step_configure() { touch configured; }\n", source="https://example.invalid/a.tar",
                        sha256=tree.source("a.tar", {"x": "source\n"}))
    write(home / "a-change.patch", PATCH)
    tree.configure("a")
    tree.make(f"a-{goal}")
    (kept,) = (tree.store / ".work").glob("*.tree")
    for number in range(2):  # what was done in it is there the next time
        assert read(kept / "build/src/x") == x + "\n"
        assert (kept / "build/src/configured").exists() == configured
        looks_into(tree, f"touch /build/src/mark{number}; echo marks=$(ls /build/src | grep -c mark)", f"marks={number + 1}")
        assert (kept / f"build/src/mark{number}").exists()
    assert tree.entries("a") == []


def looks_into(tree, command, answer, goal="a-shell"):
    """A shell that opens, and what a command in it says."""
    terminal = Terminal(tree, goal)
    terminal.expect("SHELL")
    terminal.send(f"{command}; exit")
    terminal.expect(answer)
    assert terminal.wait() == 0


LEFT = {
    "it installed nothing": ("a", "step_install() { touch trace; }\n"),
    "a setuid file": ("a", "step_install() { touch trace; install -D -m 4755 /usr/bin/true /out/usr/x; }\n"),
    "other bytes": ("a-rebuild", "step_install() { touch trace; mkdir /out/usr; cat /proc/sys/kernel/random/uuid >/out/usr/x; }\n"),
}


@pytest.mark.parametrize("how", LEFT)
def test_a_shell_after_a_build_that_was_not_sealed(tree, how):
    """/out had been moved away by then, and the sandbox did not start."""
    goal, script = LEFT[how]
    tree.package("a", script)
    tree.configure("a")
    done = tree.fails(goal)
    out = "/out/usr/x" if how != "it installed nothing" else "/out"
    looks_into(tree, f"cd /build/src; echo found=$(echo *),$(ls -d {out})", f"found=trace,{out}")
    if goal == "a-rebuild":
        other, was = re.search(r"the other result: (\S+)    as it was: (\S+)\n", done.err).groups()
        assert sorted(path.name for path in os.scandir(other)) == sorted(path.name for path in os.scandir(was)) == ["usr"]
        assert read(tree.entry("a") / "tree/usr/x") != read(next((tree.store / ".work").glob("*.tree/out/usr/x")))


def test_a_configure_that_fails_leaves_its_tree(tree):
    """Its config.log says why: it was gone."""
    tree.package("a", "step_configure() { echo important >config.log; false; }\n", source="https://example.invalid/a.tar",
                 sha256=tree.source("a.tar", {"x": "source\n"}))
    tree.configure("a")
    done = tree.fails("a-configure")
    assert "a: configure failed: 'make a-shell' opens what is left" in done.err, done.err
    looks_into(tree, "echo log=$(cat /build/src/config.log)", "log=important")


@pytest.mark.parametrize("goal", ["a-patch", "a-configure", "a-shell"])
def test_a_patch_that_does_not_apply_leaves_its_tree(tree, goal):
    """Where else is it to be put right?"""
    home = tree.package("a", source="https://example.invalid/a.tar", sha256=tree.source("a.tar", {"x": "source\n"}))
    write(home / "a-1.patch", PATCH.replace("-source", "-other"))
    tree.configure("a")
    if goal != "a-shell":
        done = tree.fails(goal)
        assert "a-1.patch does not apply to a 1" in done.all, done.all
        assert f"a: {goal[2:]} failed: 'make a-shell' opens what is left" in done.err
    looks_into(tree, "echo x=$(cat /build/src/x)", "x=source")


def test_a_shell_without_a_terminal(tree):
    """It ended at once, and well."""
    tree.package("a")
    tree.configure("a")
    tree.make("linux")
    done = tree.fails("a-shell", start_new_session=True)
    assert "a: a shell needs a terminal, and there is none" in done.err, done.err
    assert "SHELL" not in done.out and list((tree.store / ".work").glob("a-*")) == []


def test_a_rebuild_keeps_what_extract_made(tree):
    """A person has worked in it; the build needs no place there."""
    tree.package("a", source="https://example.invalid/a.tar", sha256=tree.source("a.tar", {"x": "source\n"}))
    tree.configure("a")
    tree.make("a")
    tree.make("a-extract")
    (kept,) = (tree.store / ".work").glob("*.tree")
    write(kept / "build/src/mine", "mine\n")
    assert "the same bytes as before" in tree.make("a-rebuild").out
    assert read(kept / "build/src/mine") == "mine\n"
    looks_into(tree, "echo mine=$(cat /build/src/mine)", "mine=mine")
