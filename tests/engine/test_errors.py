"""What is wrong is said at once: which file or package, what is wrong with it and what to do."""

import os
import shutil
import subprocess

import pytest

from .tree import Done, read, write

PIN = "1" * 64
OTHER = "2" * 64


def says(done, *words):
    missing = [word for word in words if word not in done.err]
    assert not missing, f"not said: {missing}\n{done.err}"
    assert "\nTraceback" not in "\n" + done.err, done.err


# Recipes

def test_missing_pin(tree):
    tree.package("a", source="https://example.invalid/a.tar")
    tree.configure("a")
    says(tree.fails("a"), "packages/a/a.mk", "1 sources but 0 sha256 pins", "Every source needs its pin")


def test_fewer_pins_than_sources(tree):
    tree.package("a", source="https://example.invalid/a.tar https://example.invalid/b.tar", sha256=PIN)
    tree.configure("a")
    says(tree.fails("a"), "packages/a/a.mk", "2 sources but 1 sha256 pins")


def test_pin_that_is_no_hash(tree):
    tree.package("a", source="https://example.invalid/a.tar", sha256="abc")
    tree.configure("a")
    says(tree.fails("a"), "packages/a/a.mk:4: sha256 'abc' is not 64 lower-case hex digits")


def test_unknown_dependency(tree):
    tree.package("a", depends="nosuch")
    tree.configure("a")
    says(tree.fails("a"), "packages/a/a.mk:3: there is no package 'nosuch'", "packages/<folder>/nosuch.mk")


def test_dependency_cycle(tree):
    tree.package("a", depends="b")
    tree.package("b", depends="c")
    tree.package("c", depends="a")
    tree.configure("a")
    says(tree.fails("a"), "depend on each other in a circle: a → b → c → a", "`depends`")


def test_missing_version(tree):
    tree.package("a", version=None)
    tree.configure("a")
    says(tree.fails("a"), "packages/a/a.mk: version is missing", "version line")


def test_named_file_does_not_exist(tree):
    tree.package("a", files="packages/a/nosuch")
    tree.configure("a")
    says(tree.fails("a"), "packages/a/a.mk:3: 'packages/a/nosuch' does not exist", "correct the recipe")


def test_absolute_path_in_files(tree):
    tree.package("a", files="/etc/hostname")
    tree.configure("a")
    says(tree.fails("a"), "packages/a/a.mk:3: '/etc/hostname' is an absolute path", "below the top of the repository")


def test_unknown_build_system(tree):
    tree.package("a", build="nosuch")
    tree.configure("a")
    says(tree.fails("a"), "packages/a/a.mk:2: there is no build system 'nosuch'", "autotools, go, kconfig, make, meson, own")


def test_no_build_system(tree):
    tree.package("a", build=None)
    tree.configure("a")
    says(tree.fails("a"), "packages/a/a.mk: build is missing", "meson, own")


def test_own_build_without_a_script(tree):
    (tree.package("a") / "a.sh").unlink()
    tree.configure("a")
    says(tree.fails("a"), "packages/a/a.mk:2: 'packages/a/a.sh' does not exist")


def test_two_recipes_of_one_name(tree):
    tree.package("a")
    tree.package("a", folder="packages/other")
    tree.configure("a")
    says(tree.fails("a"), "packages/a/a.mk", "packages/other/a.mk")


def test_symbol_without_a_recipe(tree):
    (tree.root / "packages/a").mkdir()
    (tree.root / "packages/a/Kconfig").write_text('config PACKAGE_A\n\tbool "a"\n')
    tree.configure("a")
    says(tree.fails(), "the configuration: there is no package 'a'", "packages/<folder>/a.mk")


def test_unknown_goal(tree):
    tree.configure()
    tree.package("lamp")
    says(tree.fails("lmap"), "there is no goal or package 'lmap'. Did you mean lamp?", "make help")
    says(tree.fails("al"), "Did you mean all?")
    says(tree.fails("lmap-rebuild"), "there is no package 'lmap'. Did you mean lamp?")
    says(tree.fails("why-lmap"), "there is no package 'lmap'. Did you mean lamp?")


# Paths

@pytest.mark.parametrize("variable", ["O", "STORE", "DL"])
def test_path_with_a_space(tree, variable):
    tree.configure()
    says(tree.fails("help", env={variable: str(tree.base / "with space")}), f"{variable}=", "with space", "spaces")


def test_checkout_path_with_a_space(new_tree):
    tree = new_tree("two words")
    says(tree.fails("help"), "two words", "spaces", "Move the checkout")


@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
@pytest.mark.parametrize("name, what", [("with space", "spaces"), ("a$b", "$"), ("it's", "'"), ("a;b", ";"), ("a#b", "#")])
def test_a_home_that_make_cannot_work_in(tree, variable, name, what):
    """The defaults of STORE, DL and TOOLS are below it: what was removed there was another folder's."""
    tree.configure()
    write(tree.base / "with/precious", "mine\n")
    write(tree.base / "a/precious", "mine\n")
    (tree.base / name).mkdir()
    before = tree.snapshot(tree.base)
    done = tree.fails("show-targets", env={"STORE": None, "DL": None, "TOOLS": None, variable: str(tree.base / name)}, limit=60)
    says(done, str(tree.base / name), f"Make cannot work in a path with {what}", "XDG_CACHE_HOME=")
    assert tree.snapshot(tree.base) == before


# Sources

def test_wrong_content_in_the_download_folder(tree):
    (tree.dl / PIN).mkdir()
    (tree.dl / PIN / "a.tar").write_text("something else")
    tree.package("a", source="https://example.invalid/a.tar", sha256=PIN)
    tree.configure("a")
    says(tree.fails("a"), f"{tree.dl}/{PIN}/a.tar does not match its pin", "Remove it and run make again")
    assert tree.entries("a") == []


def test_truncated_file_in_the_download_folder(tree):
    pin = tree.source("a.tar", {"x": "x"})
    (tree.dl / pin / "a.tar").write_bytes((tree.dl / pin / "a.tar").read_bytes()[:100])
    tree.package("a", source="https://example.invalid/a.tar", sha256=pin)
    tree.configure("a")
    says(tree.fails("a"), f"{tree.dl}/{pin}/a.tar does not match its pin")


def test_patch_that_does_not_apply(tree):
    home = tree.package("a", source="https://example.invalid/a.tar", sha256=tree.source("a.tar", {"x": "one\n"}))
    (home / "a-1-good.patch").write_text("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+two\n")
    (home / "a-2-bad.patch").write_text("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+two\n")
    tree.configure("a")
    done = tree.fails("a")
    says(done, "a-2-bad.patch does not apply to a 1", "FAILED  a 1", "unpack")
    assert "a-1-good.patch does not" not in done.err


def test_archive_that_cannot_be_unpacked(tree):
    pin = tree.keep("a.tar", lambda path: path.write_text("no tar archive\n"))
    tree.package("a", source="https://example.invalid/a.tar", sha256=pin)
    tree.configure("a")
    says(tree.fails("a"), "FAILED  a 1", "unpack", "tar")


@pytest.mark.parametrize("goal", ["a", "a-extract", "source", "a-source"])
def test_a_link_to_nowhere_in_the_download_folder(tree, goal):
    """To a disk that is not there today: the file is fetched anew."""
    pin = tree.source("a.tar", {"x": "x"})
    tree.package("a", source="https://127.0.0.1:1/a.tar", sha256=pin)
    tree.configure("a")
    path = tree.dl / pin / "a.tar"
    path.rename(tree.base / pin)
    path.symlink_to("/nonexistent/a.tar")
    says(tree.fails(goal), "cannot fetch a.tar", str(path))
    assert tree.entries("a") == []
    tree.make(goal, env={"MIRROR": str(tree.base)})
    assert path.read_bytes() == (tree.base / pin).read_bytes()


# Builds

def test_a_failing_build_shows_the_end_of_its_log_and_how_to_go_on(tree):
    tree.package("a", "step_build() { seq -f 'line %g' 100; echo 'the reason' >&2; return 7; }\n")
    tree.configure("a")
    done = tree.fails("a")
    says(done, "FAILED  a 1", "build, after", "    line 100", "    the reason", f"log:       {tree.o}/logs/a.log", "make a V=1",
         "make a-shell")
    assert "line 80\n" not in done.err, "only the end"
    assert "line 1\n" in tree.log("a")
    assert tree.entries("a") == []


@pytest.mark.parametrize("step", ["unpack", "configure", "build", "install"])
def test_the_step_that_failed_is_named(tree, step):
    tree.package("a", f"step_{step}() {{ echo before; false; echo after; }}\n")
    tree.configure("a")
    done = tree.fails("a")
    says(done, f" {step}, after")
    assert "after\n" not in tree.log("a"), "a step goes on after a command that failed"


def test_failure_of_a_pipe_or_of_an_unset_variable_counts(tree):
    tree.package("a", "step_build() { false | cat; }\n")
    tree.package("b", 'step_build() { echo "$nosuch"; }\n')
    tree.configure("a", "b")
    done = tree.fails("-k", "a", "b")
    says(done, "FAILED  a 1", "FAILED  b 1", "nosuch: unbound variable")


def test_failure_with_output_shown(tree):
    """With V=1 too, where the output goes through a pipe."""
    tree.package("a", "step_build() { echo seen; false; }\n")
    tree.configure("a")
    done = tree.fails("a", "V=1")
    assert "seen" in done.out.splitlines()
    says(done, "FAILED  a 1")
    assert tree.entries("a") == []


@pytest.mark.parametrize("command", [
    "exec 3<>/dev/tcp/192.0.2.1/80",
    "/usr/bin/python3 -c 'import urllib.request; urllib.request.urlopen(\"http://example.com/\")'",
], ids=["bash", "python"])
def test_reaching_for_the_network_fails_with_a_hint(tree, command):
    tree.package("a", f"step_build() {{ {command}; }}\n")
    tree.configure("a")
    says(tree.fails("a"), "FAILED  a 1", "It tried to reach the network", "pinned source")


def test_other_failures_have_no_hint_of_the_network(tree):
    tree.package("a", "step_build() { echo network; false; }\n")
    tree.configure("a")
    done = tree.fails("a")
    assert "tried to reach" not in done.err and "disk is full" not in done.err and "user namespaces" not in done.err


def test_undeclared_dependency_is_not_there(tree):
    tree.package("lib", "step_install() { install -d /out/usr/include; echo >/out/usr/include/lib.h; }\n")
    tree.package("a", "step_build() { cat /sysroot/usr/include/lib.h; }\n")
    tree.configure("a", "lib")
    says(tree.fails("-j1", "lib", "a"), "FAILED  a 1", "/sysroot/usr/include/lib.h: No such file or directory")


def test_listing_its_dependency_makes_it_build(tree):
    tree.package("lib", "step_install() { install -d /out/usr/include; echo >/out/usr/include/lib.h; }\n")
    tree.package("a", "step_build() { cat /sysroot/usr/include/lib.h; }\n", depends="lib")
    tree.configure("a")
    tree.make("a")


def test_missing_host_programs_are_all_named(tree):
    tree.edit("scripts/host-packages.txt", "diffutils            diff\n",
              "diffutils            diff\none-package          no-such-program-1\nother-package        no-such-program-2\n"
              "test-package         no-such-program-3 test\n")
    tree.configure()
    tree.package("a")
    done = tree.fails("a")
    says(done, "one-package other-package", "make setup")
    assert "test-package" not in done.err


# Disk

def in_small_store(tree, size, command):
    """Runs a shell command with a file system of its own on STORE."""
    mount = f"mount -t tmpfs -o {size} none {tree.store} && cp -a {tree.base}/keep/. {tree.store} && "
    words = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    probe = subprocess.run([*words, mount + ":"], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"no mount namespace here: {probe.stderr.strip()}")
    done = subprocess.run([*words, mount + command], cwd=tree.root, env=tree.env(), capture_output=True, text=True, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def small(tree):
    """A tree whose store can be put on a small disk: what it has now is copied there."""
    subprocess.run(["cp", "-a", tree.store, tree.base / "keep"], check=True)
    tree.package("a", "step_install() { mkdir /out/usr; head -c 30M /dev/zero >/out/usr/large; }\n")
    tree.package("many", "step_install() { mkdir /out/usr; for ((i = 0; i < 5000; i++)); do : >/out/usr/$i; done; }\n")
    tree.configure("a", "many")
    return tree


def test_too_little_room_is_said_before_a_build(small):
    done = in_small_store(small, "size=64m", "make a")
    says(done, "a: only ", f"MB are free in {small.store}", "STORE=")
    assert done.code == 2


@pytest.mark.parametrize(("variables", "words"), [
    ({"NEED_MB": "abc"}, ["NEED_MB='abc' is no number of megabytes"]), ({"NEED_MB": "-1"}, ["NEED_MB='-1' is no number"]),
    ({"V": "3"}, ["V='3' is none of 0, 1 and 2"]), ({"V": ""}, ["V='' is none of"]),
    ({"HOME": "", "XDG_CACHE_HOME": ""}, ["Neither HOME nor XDG_CACHE_HOME is set"])])
def test_variables_that_say_nothing(tree, variables, words):
    tree.package("a")
    tree.configure("a")
    done = tree.run("a", env=variables)
    assert done.code == 2
    says(done, *words)
    assert "unbound" not in done.all


def test_disk_that_gets_full_and_has_room_again(small):
    """NEED_MB: the room that a build must find, below which it is not even begun."""
    done = in_small_store(small, "size=40m", "head -c 20M /dev/zero >$STORE/ballast; NEED_MB=1 make a; echo code $?; ls $STORE; "
                                             "rm $STORE/ballast; NEED_MB=1 make a && ls $STORE/.work")
    says(done, "FAILED  a 1", "The disk is full", str(small.store))
    assert "code 2" in done.out
    assert done.code == 0 and done.out.splitlines()[-1].split()[0] == "DONE", "the second time it is built, and no work folder is left"
    assert "a-1-" not in done.out.split("code 2")[1].split("BUILD")[0], "a half entry"


def test_disk_without_inodes(small):
    done = in_small_store(small, "size=8g,nr_inodes=2000", "make many")
    says(done, "FAILED  many 1", "The disk is full")
    assert done.code == 2


# The machine

def test_forbidden_user_namespaces(tree):
    """As Debian's and Ubuntu's settings do it: unshare fails; that is found before anything is built."""
    fake = tree.base / "bin"
    fake.mkdir()
    (fake / "unshare").write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    (fake / "unshare").chmod(0o755)
    tree.package("a")
    tree.configure("a")
    done = tree.fails("a", env={"PATH": f"{fake}:{os.environ['PATH']}"})
    says(done, "forbids user namespaces", "sysctl -w", "Ubuntu", "Docker")
    assert done.built() == []


@pytest.mark.parametrize("goal", ["all", "a", "show-info", "check-recipes", "source", "-n"])
def test_an_emptied_program_of_the_engine(tree, goal):
    """As a power cut may leave it. A shell takes that for a script that says nothing: there was nothing to do, and make ended well."""
    tree.package("a")
    tree.configure("a")
    tree.make()
    tree.edit("packages/a/a.mk", "version = 1", "version = 2")
    broken = tree.base / "broken"
    shutil.copytree(tree.tools, broken)
    (broken / "keys").write_bytes(b"")
    before = read(tree.o / "images/packages")
    says(tree.fails(goal, env={"TOOLS": str(broken)}), f"{broken}/keys says nothing: remove {broken}, and it is compiled again")
    assert read(tree.o / "images/packages") == before
    assert tree.make().built() == ["a", "image"]
