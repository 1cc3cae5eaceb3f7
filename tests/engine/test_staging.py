"""A build sees exactly the bytes that its key names: when they are taken, which, and as what."""

import os
import shutil
import subprocess

import pytest

from .test_errors import says
from .tree import EPOCH, GATE, REPOSITORY, eventually, read, sha256, write

# All that a build sees of its files: kind, mode, time, name and content or target.
LIST = r"""
step_install() {
    mkdir /out/usr
    cd /build/files
    find . -mindepth 1 -printf '%y %m %T@ %p %l\0' | sed -z 's/\.0* / /' | sort -z >/out/usr/list
    cp -a /build/files /out/usr/files
}
"""
HOME = "packages/a"


def listing(tree, name="a"):
    """path → (kind, mode, time, target)"""
    found = {}
    for line in tree.out(name, "/usr/list").split("\0")[:-1]:
        kind, mode, time, rest = line.split(" ", 3)
        path, _, target = rest.rpartition(" ")
        found[path.removeprefix(f"./{HOME}/")] = (kind, mode, int(time.split(".")[0]), target)
    return found


# When they are taken

def test_what_is_edited_after_make_began_does_not_reach_the_build(tree):
    """Two packages wait behind the first; meanwhile every input of the second is edited."""
    home = tree.package("a", "step_unpack() { :; }\nstep_install() { mkdir /out/usr; cat /build/files/packages/a/data >/out/usr/data; "
                             "echo old >/out/usr/script; }\n", depends="first", files="packages/a/data", configure="--old")
    write(home / "data", "old\n")
    tree.package("first", "step_build() {\n" + GATE + "}\n")
    tree.configure("a")
    make = tree.start("a")
    tree.awaits("first", "waiting")
    entry = tree.keys()["a"]
    write(home / "data", "new\n")
    tree.edit("packages/a/a.sh", "echo old", "echo new")
    tree.edit("packages/a/a.mk", "--old", "--new")
    tree.edit("scripts/build/common.sh", 'for step; do\n', 'for step; do echo EDITED\n')
    tree.open_gate("first")
    done = make.wait()
    assert done.code == 0, done.err
    assert [(tree.out("a", f"/usr/{name}")) for name in ("data", "script")] == ["old\n", "old\n"]
    assert "EDITED" not in tree.log("a")
    assert tree.entry("a").name == entry and sha256(tree.entry("a") / "inputs")[:32] == entry.rsplit("-", 1)[1]
    # What there is now has another key, and is built.
    tree.edit("scripts/build/common.sh", 'for step; do echo EDITED\n', 'for step; do\n')
    assert tree.make("a").built() == ["a"]
    assert read(tree.store / tree.keys()["a"] / "tree/usr/data") == "new\n"


def test_the_engine_is_edited_while_a_build_runs(tree):
    """bash reads a script as it goes; an edited one would be read on from the middle."""
    tree.package("a", "step_build() {\n" + GATE + "}\n")
    tree.configure("a")
    make = tree.start("a")
    tree.awaits("a", "waiting")
    for script in ("build-entry", "sandbox"):
        text = read(tree.root / "scripts" / script)
        with open(tree.root / "scripts" / script, "r+", encoding="utf-8") as out:  # in place, as some editors do
            out.write("#!/bin/bash\n" + "exit 7 #\n" * 2000)
            out.truncate(len(text) // 2)
    tree.open_gate("a")
    done = make.wait()
    assert done.code == 0, done.err
    assert len(tree.entries("a")) == 1


def test_show_info_during_a_build_changes_nothing(tree):
    home = tree.package("a", "step_install() { mkdir /out/usr; cat /build/files/packages/a/data >/out/usr/data; }\n",
                        depends="first", files="packages/a/data")
    write(home / "data", "old\n")
    tree.package("first", "step_build() {\n" + GATE + "}\n")
    tree.configure("a")
    make = tree.start("a")
    tree.awaits("first", "waiting")
    before = tree.snapshot(tree.o)
    write(home / "data", "new\n")
    (new,) = {tree.info()["a"]["entry"]} - {None}
    assert tree.snapshot(tree.o) == before
    tree.open_gate("first")
    assert make.wait().code == 0
    assert tree.out("a", "/usr/data") == "old\n" and tree.entry("a").name != new


def test_kept_bytes_that_are_damaged_are_not_built_from(tree):
    home = tree.package("a", LIST, files="packages/a/data", depends="first")
    write(home / "data", "old\n")
    tree.package("first", "step_build() {\n" + GATE + "}\n")
    tree.configure("a")
    make = tree.start("a")
    tree.awaits("first", "waiting")
    kept = next((tree.o / "inputs/.bytes").glob(sha256(home / "data")))
    kept.chmod(0o644)
    kept.write_text("bad\n")
    tree.open_gate("first")
    done = make.wait()
    assert done.code == 2 and f"{kept} is damaged" in done.err + tree.log("a")
    assert tree.entries("a") == []


def test_output_folder_removed_by_hand(tree):
    """The inputs that were kept there are kept again."""
    tree.package("a")
    tree.configure("a")
    tree.make("a")
    shutil.rmtree(tree.o / "inputs")
    tree.edit("packages/a/a.sh", "echo a", "echo b")
    assert tree.make("a").built() == ["a"]
    shutil.rmtree(tree.o / "inputs")
    assert tree.make("a-rebuild").built() == ["a"]


def test_kept_inputs_that_were_edited(tree):
    """Before a build they are put right; during it they do not count."""
    tree.package("a", "step_build() {\n" + GATE + "}\n")
    tree.configure("a")
    tree.make("linux")
    inputs = tree.o / "inputs" / tree.keys()["a"]
    write(inputs, read(inputs)[:100])
    make = tree.start("a")
    tree.awaits("a", "waiting")
    write(inputs, "edited\n")
    tree.open_gate("a")
    done = make.wait()
    assert done.code == 0, done.err
    assert sha256(tree.entry("a") / "inputs")[:32] == tree.entry("a").name.rsplit("-", 1)[1]
    assert tree.make("a").built() == []


def test_kept_bytes_that_are_lost_are_kept_again(tree):
    """As the message about damaged ones says: remove it, and run make again."""
    home = tree.package("a", LIST, files="packages/a/data")
    write(home / "data", "data\n")
    tree.configure("a")
    tree.make("linux")
    (tree.o / "inputs/.bytes" / sha256(home / "data")).unlink()
    tree.make("a")


# Which, and as what

def test_a_file_with_the_script_s_name_is_only_a_file(tree):
    home = tree.package("a", "step_install() { mkdir /out/usr; echo script >/out/usr/who; cat /build/files/packages/a/files/usr/bin/a.sh "
                             ">/out/usr/file; }\n", files="packages/a/files")
    write(home / "files/usr/bin/a.sh", "step_install() { mkdir /out/usr; echo file >/out/usr/who; }\n")
    write(home / "files/common.sh", "exit 0\n")
    tree.configure("a")
    tree.make("a")
    assert (tree.out("a", "/usr/who"), tree.out("a", "/usr/file")[:12]) == ("script\n", "step_install")


def test_a_patch_among_the_files_is_only_a_file(tree):
    home = tree.package("a", "step_install() { mkdir /out/usr; cp x /out/usr/; }\n", source="https://example.invalid/a.tar",
                        sha256=tree.source("a.tar", {"x": "one\n"}), files="packages/a/files")
    write(home / "files/a-1.patch", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+two\n")
    tree.configure("a")
    tree.make("a")
    assert tree.out("a", "/usr/x") == "one\n"


def test_a_patch_belongs_to_the_recipe_with_the_longest_name(tree):
    script = "step_install() { mkdir /out/usr; cp x /out/usr/; }\n"
    pin = tree.source("c.tar", {"x": "one\n"})
    for name in ("c", "c-extra"):
        home = tree.package(name, script, folder="packages/c", source="https://example.invalid/c.tar", sha256=pin)
    write(home / "c-extra-1.patch", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+extra\n")
    write(home / "c-2.patch", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+plain\n")
    tree.configure()
    tree.make("c", "c-extra")
    assert [tree.out(name, "/usr/x") for name in ("c", "c-extra")] == ["plain\n", "extra\n"]


def test_patches_are_applied_in_the_order_of_bytes(tree):
    """Not in that of the folder, nor of a language."""
    home = tree.package("a", "step_install() { mkdir /out/usr; cp x /out/usr/; }\n", source="https://example.invalid/a.tar",
                        sha256=tree.source("a.tar", {"x": "0\n"}))
    for number, name in enumerate(["a-1.patch", "a-10.patch", "a-2.patch", "a-B.patch", "a-a.patch", "a-b.patch"]):
        write(home / name, f"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-{number}\n+{number + 1}\n")
    tree.configure("a")
    tree.make("a", env={"LC_ALL": "C.UTF-8", "LC_COLLATE": "de_DE.UTF-8"})
    assert tree.out("a", "/usr/x") == "6\n"


def test_what_a_folder_holds(tree):
    home = tree.package("a", LIST, files=f"{HOME}/files {HOME}/named")
    files = home / "files"
    write(files / "plain", "plain\n")
    write(files / "private", "private\n")
    (files / "private").chmod(0o600)
    write(files / "program", "program\n")
    (files / "program").chmod(0o700)
    (files / "empty").mkdir(mode=0o700)
    (files / "link").symlink_to("plain")
    (files / "dangling").symlink_to("/nowhere")
    (files / "to-a-folder").symlink_to("empty")
    (home / "named").symlink_to("files/plain")
    odd = ["with blank", "with\\backslash", "with\nend of line", "with\ttab", "quote'\"", "$HOME", "$(id)", "*", "-n", "#hash", "ä¶", "%25",
           "\\x20", " "]
    for name in odd:
        write(files / "odd" / name, name)
    for left_over in ("plain~", ".plain.swp", ".plain.swo", "#plain#"):
        write(files / left_over, "left over\n")
    (files / ".#plain").symlink_to("somebody@somewhere.1:2")
    (files / "old~").mkdir()
    write(files / "old~/x", "left over\n")
    write(files / ".hidden", "hidden\n")
    tree.configure("a")
    tree.make("a")
    seen = listing(tree)
    f, d, x = ("f", "644", EPOCH, ""), ("d", "755", EPOCH, ""), ("f", "755", EPOCH, "")
    assert {path: seen[path] for path in seen if not path.startswith("files/odd/")} == {
        "./packages": d, "./" + HOME: d, "files": d, "files/plain": f, "files/private": f, "files/program": x, "files/empty": d,
        "files/.hidden": f, "files/link": ("l", "777", EPOCH, "plain"), "files/dangling": ("l", "777", EPOCH, "/nowhere"),
        "files/to-a-folder": ("l", "777", EPOCH, "empty"), "files/odd": d, "named": f}
    got = tree.entry("a") / "tree/usr/files" / HOME / "files/odd"
    assert {path.name: read(path) for path in got.iterdir()} == {name: name for name in odd}
    assert tree.make("a").built() == []


def test_two_files_that_would_have_one_name(tree):
    """A package called common, with a script of its own: one of the two common.sh was left out."""
    home = tree.package("common")
    tree.configure("common")
    done = tree.fails("common")
    says(done, "packages/common/common.mk:", "packages/common/common.sh", "scripts/build/common.sh", "would both be",
         "give one of them another name")
    assert tree.entries("common") == []
    shutil.rmtree(home)


def test_modes_and_times_are_not_seen(tree):
    """Two checkouts under different umasks, at different times, give one entry."""
    home = tree.package("a", LIST, files=f"{HOME}/files")
    write(home / "files/sub/one", "one\n")
    tree.configure("a")
    tree.make("a")
    before = tree.entry("a"), read(tree.entry("a") / "manifest")
    shutil.rmtree(before[0])
    (home / "files/sub/one").chmod(0o640)
    (home / "files/sub").chmod(0o2770)
    os.utime(home / "files/sub/one", (1, 1))
    os.utime(home / "files", (2, 2))
    (home / "a.sh").chmod(0o755)
    assert tree.make("a", umask=0o077).built() == ["a"]
    assert (tree.entry("a"), read(tree.entry("a") / "manifest")) == before


@pytest.mark.parametrize("where", ["files", "files/pipe"])
def test_a_pipe_is_an_error_and_does_not_hang(tree, where):
    home = tree.package("a", files=f"{HOME}/{where}")
    (home / "files").mkdir()
    os.mkfifo(home / "files/pipe")
    tree.configure("a")
    says(tree.fails("a", limit=60), f"{HOME}/a.mk:3: '{HOME}/files/pipe' is a pipe, a socket or a device")


@pytest.mark.parametrize("name", ["a.sh", "a-1.patch", "service"])
def test_a_pipe_instead_of_what_is_read_by_itself(tree, name):
    home = tree.package("a", source="https://example.invalid/a.tar", sha256=tree.source("a.tar", {"x": "x"}))
    (home / name).unlink(missing_ok=True)
    os.mkfifo(home / name)
    tree.configure("a")
    says(tree.fails("show-info", limit=60), f"{HOME}/{name}")


def test_a_link_round_in_a_circle(tree):
    home = tree.package("a", LIST, files=f"{HOME}/files")
    (home / "files").mkdir()
    (home / "files/round").symlink_to("round")
    (home / "files/up").symlink_to("..")
    tree.configure("a")
    tree.make("a")
    assert listing(tree)["files/up"] == ("l", "777", EPOCH, "..")


def test_a_thousand_files(tree):
    home = tree.package("a", "step_install() { mkdir /out/usr; find /build/files -type f | wc -l >/out/usr/count; }\n",
                        files=f"{HOME}/files")
    for number in range(1000):
        write(home / f"files/{number % 10}/{number}", f"{number}\n")
    tree.configure("a")
    tree.make("a")
    assert tree.out("a", "/usr/count") == "1000\n"


def test_files_within_files(tree):
    """A folder, and in it a file named once more; and one folder named twice."""
    home = tree.package("a", LIST, files=f"{HOME}/files/one {HOME}/files {HOME}/files/ {HOME}/files/one?")
    write(home / "files/one", "one\n")
    write(home / "files/two", "two\n")
    tree.configure("a")
    tree.make("a")
    assert {path for path in listing(tree) if path.startswith("files/")} == {"files/one", "files/two"}


def test_a_link_named_beside_what_it_leads_to(tree):
    """`files` names both the folder, in which the link is a link, and the link, which is then a file: one of them must be an error or
    both must hold."""
    home = tree.package("a", LIST, files=f"{HOME}/files {HOME}/files/link")
    write(home / "files/plain", "plain\n")
    (home / "files/link").symlink_to("plain")
    tree.configure("a")
    first = tree.keys()["a"]
    tree.edit(f"{HOME}/a.mk", f"{HOME}/files {HOME}/files/link", f"{HOME}/files/link {HOME}/files")
    assert tree.keys()["a"] == first, "the order of files does not count"
    tree.make("a")


# Inputs of every build

def changed(tree, action):
    before = tree.keys()
    action()
    after = tree.keys()
    return {name for name in before if before[name] != after[name]}


def test_the_sandbox_and_the_engine_s_number_are_inputs(tree):
    tree.package("host-a")
    tree.package("a", depends="host-a")
    tree.configure("a")
    assert changed(tree, lambda: tree.edit("scripts/sandbox", "--hostname copal", "--hostname other")) == set(tree.keys())
    assert changed(tree, lambda: tree.edit("scripts/sandbox", "set -euo", "# a comment\nset -euo")) == set()
    tree.make("a")
    assert read(tree.entry("a") / "inputs").startswith("copal-inputs ")
    assert read(REPOSITORY / "scripts/tools/keying.cc").count('kEngine = "copal-inputs ') == 1


@pytest.mark.parametrize("script", ["cat >x <<END\n# one\nEND\n", "echo 'first\nsecond\n# one\nthird' >x\n", 'echo "it\'s\n# one\n" >x\n',
                                    "echo first \\\n# one\n", "x=$(tr a b <<'END'\n\n# one\nEND\n)\n"])
def test_a_line_that_only_looks_like_a_comment_counts(tree, script):
    """In a here-document, a text or a command of several lines of a build script."""
    tree.package("a")
    write(tree.root / "scripts/build/make.sh", f"step_build() {{\n{script}}}\n")
    write(tree.root / "scripts/build/needs.mk", read(tree.root / "scripts/build/needs.mk").replace("needs-make ", "needs-make = #\nold ")
          .replace("needs-make = #", "needs-make =").replace("needs-make-target ", "old-target "))
    tree.edit("packages/a/a.mk", "build = own", "build = make")
    (tree.root / "packages/a/a.sh").unlink()
    tree.configure("a")
    assert changed(tree, lambda: tree.edit("scripts/build/make.sh", "# one", "# two")) == {"a", "image"}


@pytest.fixture
def image(tree):
    """The image recipe's way with overlays, without what the real one needs."""
    real = read(REPOSITORY / "packages/image/image.mk")
    overlays = [line for line in real.splitlines() if line.startswith("overlays")]
    assert any("$(CONFIG_IMAGE_OVERLAY)" in line for line in overlays)
    recipe = ["version = 1", "build = own", "entries = linux $(image-packages)", *overlays]
    write(tree.root / "packages/image/image.mk", "\n".join(recipe) + "\n")
    write(tree.root / "packages/image/image.sh", "step_install() { cp -a /build/overlays /out/; echo $recipe_overlays >/out/order; }\n")
    write(tree.root / "configs/Kconfig", read(tree.root / "configs/Kconfig") + "".join(
        f'config {name}\n\t{kind} "{name}"\n' for name, kind in (("IMAGE_OVERLAY", "string"), ("IMAGE_DEV", "bool"),
                                                                 ("IMAGE_PRODUCTION", "bool"))))
    write(tree.root / "overlays/base/etc/base", "base\n")
    return tree


def test_an_overlay_of_the_user_s_own_counts_by_content_not_by_path(image):
    keys = []
    for number in ("one", "two"):
        write(image.base / number / "etc/mine", "mine\n")
        (image.base / number / "etc/link").symlink_to("mine")
        image.configure(IMAGE_OVERLAY=f'"{image.base / number}"')
        keys.append(image.keys()["image"])
    assert keys[0] == keys[1]
    image.make()
    assert read(image.o / "images/overlays/extra-1/etc/mine") == "mine\n"
    assert read(image.o / "images/order") == "overlays/base extra-1\n"
    assert str(image.base) not in read(image.entry("image") / "inputs")
    write(image.base / "two/etc/mine", "other\n")
    assert image.keys()["image"] != keys[0]


def test_the_order_of_overlays_counts(image):
    for number in ("one", "two"):
        write(image.base / number / "etc/mine", number)
    one, two = (image.base / number for number in ("one", "two"))
    image.configure(IMAGE_OVERLAY=f'"{one} {two}"')
    first = image.keys()["image"]
    image.configure(IMAGE_OVERLAY=f'"{two} {one}"')
    assert image.keys()["image"] != first


def test_an_overlay_that_is_gone(image):
    """When the configuration was made it was there."""
    write(image.base / "mine/x", "x\n")
    image.configure(IMAGE_OVERLAY=f'"{image.base}/mine"')
    (image.base / "mine").rename(image.base / "moved")
    says(image.fails(), "packages/image/image.mk:", f"'{image.base}/mine' does not exist")


def test_an_overlay_in_the_place_of_one_of_the_user_s_own(image):
    """A folder extra-1 of the repository, beside the absolute path that is called so in a build."""
    write(image.root / "extra-1/etc/f", "from the repository\n")
    write(image.base / "mine/etc/f", "mine\n")
    image.edit("packages/image/image.mk", "overlays  =", "overlays  = extra-1")
    image.configure(IMAGE_OVERLAY=f'"{image.base}/mine"')
    says(image.fails(), "packages/image/image.mk:", "extra-1/etc/f", f"{image.base}/mine/etc/f", "would both be")
    assert image.entries("image") == []


def test_an_overlay_with_a_pipe(image):
    write(image.base / "one/etc/mine", "mine\n")
    os.mkfifo(image.base / "one/etc/pipe")
    image.configure(IMAGE_OVERLAY=f'"{image.base / "one"}"')
    says(image.fails(limit=60), "packages/image/image.mk:", "etc/pipe' is a pipe")


# Where it is put

def test_stores_on_another_file_system(tree):
    """Links do not reach from one to the other: O, STORE and DL on three."""
    tree.package("lib")
    tree.package("a", "step_install() { mkdir /out/usr; cp x /sysroot/usr/share/lib /out/usr/; }\n", depends="lib",
                 source="https://example.invalid/a.tar", sha256=tree.source("a.tar", {"x": "x"}))
    tree.configure("a")
    keep = tree.base / "keep"
    subprocess.run(["cp", "-a", tree.store, keep], check=True)
    command = (f"mount -t tmpfs none {tree.store} && cp -a {keep}/. {tree.store} && make a && make a && make a-rebuild && make && "
               f"cat {tree.store}/a-1-*/tree/usr/lib {tree.o}/images/packages")
    words = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*words, f"mount -t tmpfs none {tree.store}"], check=False, capture_output=True).returncode:
        pytest.skip("no mount namespace here")
    done = subprocess.run([*words, command], cwd=tree.root, env=tree.env(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split()[-4:] == ["lib", "a", "init", "linux"]


@pytest.mark.parametrize("variable", ["O", "STORE", "DL"])
def test_folders_that_are_links_or_relative(tree, variable):
    tree.package("a", "step_install() { mkdir /out/usr; cp x /out/usr/; }\n", source="https://example.invalid/a.tar",
                 sha256=tree.source("a.tar", {"x": "x"}))
    tree.configure("a")
    folder = {"O": tree.o, "STORE": tree.store, "DL": tree.dl}[variable]
    link = tree.base / "link"
    link.symlink_to(folder)
    key = tree.keys()["a"]
    assert tree.keys(env={variable: str(link)})["a"] == key
    tree.make("a", env={variable: str(link)})
    assert tree.make("a", env={variable: f"../{folder.name}"}).built() == []
    assert tree.make("a", env={variable: f"./..//{folder.name}/."}).built() == []
    assert tree.entry("a").name == key


def test_make_from_elsewhere(tree):
    tree.package("a")
    tree.configure("a")
    done = subprocess.run(["make", "-C", tree.root, "a"], cwd="/", env=tree.env(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(tree.entries("a")) == 1


def test_make_with_another_folder_and_dash_f(tree):
    """Paths are those of the checkout: what cannot work is said in one line."""
    tree.package("a")
    tree.configure("a")
    done = subprocess.run(["make", "-f", tree.root / "Makefile", "a"], cwd=tree.base, env=tree.env(), capture_output=True, text=True,
                          check=False)
    assert done.returncode == 2
    assert "make -C" in done.stderr, done.stderr
    assert tree.entries("a") == []


def test_a_source_that_is_exchanged_while_the_build_runs_is_noticed(tree):
    """What is stored under a key is what the key says."""
    pin = tree.source("a.tar", {"x": "old"})
    tree.package("a", "step_unpack() {\n" + GATE + "unpack a.tar src; }\nstep_install() { mkdir /out/usr; cp /build/src/x /out/usr/; }\n",
                 source="https://example.invalid/a.tar", sha256=pin)
    tree.configure("a")
    make = tree.start("a")
    tree.awaits("a", "waiting")
    other = tree.source("b.tar", {"x": "new"})
    path = tree.dl / pin / "a.tar"
    path.chmod(0o644)
    path.write_bytes((tree.dl / other / "b.tar").read_bytes())
    tree.open_gate("a")
    done = make.wait()
    assert done.code == 2 and "a.tar" in done.err, "the wrong bytes were sealed: " + str(tree.entries("a"))
    assert tree.entries("a") == []


def test_read_only_downloads(tree):
    """Another user's, or a disc: what is there is enough."""
    tree.package("a", source="https://example.invalid/a.tar", sha256=tree.source("a.tar", {"x": "x"}))
    tree.configure("a")
    words = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    mount = f"mount --bind {tree.dl} {tree.dl} && mount -o remount,bind,ro {tree.dl}"
    if subprocess.run([*words, mount], check=False, capture_output=True).returncode:
        pytest.skip("no mount namespace here")
    done = subprocess.run([*words, mount + " && make a"], cwd=tree.root, env=tree.env(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    eventually(lambda: tree.entries("a"), "it is stored", 1)
