"""`init --check`, which runs when an image is built."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def check(files, root=None):
    """Exit status and output for a folder with these files."""
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / "etc/init"
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        for name, text in (root or {}).items():
            path = Path(base) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text.startswith("->"):
                path.symlink_to(text[2:])
            else:
                path.write_text(text)
                path.chmod(0o755)
        command = [os.environ["INIT"], "--check", str(folder)]
        if root is not None:
            command.append(base)
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
        return done.returncode, done.stderr.replace(str(folder) + "/", "")


DOCS = Path(__file__).parents[2] / "docs"
GOOD = "run = /usr/bin/x\nuser = 5\n"


def test_good():
    assert check({"a": GOOD, "b": GOOD + "needs = a\nafter = log elsewhere\n"}) == (0, "")
    assert check({}) == (0, "")


def test_caret():
    assert check({"a": GOOD + "  ready = notfy 5s\n"}) == (1, (
        "a:3:11: error: unknown word 'notfy': did you mean 'notify'?\n"
        "      ready = notfy 5s\n"
        "              ^~~~~\n"))


def test_every_problem_is_told():
    status, output = check({"a": "x\ny\n", "b": GOOD + "needs = c\n", "C": GOOD})
    assert status == 1
    for part in ("a:1:1: error: ", "a:2:1: error: ", "b:3:9: error: there is no service 'c'",
                 "C: error: a service's name"):
        assert part in output, output


def test_cycle():
    status, output = check({"a": GOOD + "needs = b\n", "b": GOOD + "after = a\n"})
    assert status == 1
    assert output.startswith("a:3:9: error: a cycle: a waits for b waits for a\n")


def test_the_image_has_what_is_named():
    root = {"usr/bin/x": "", "usr/bin/y": "->/usr/bin/x", "bin": "->usr/bin",
            "etc/passwd": "nomad:x:1:1::/:\n", "etc/seccomp/service": "8 bytes."}
    good = {"a": GOOD, "b": "run = /usr/bin/y\nuser = nomad\n"}
    assert check(good, root) == (0, "")
    status, output = check({"a": "run = /usr/bin/z\nuser = 1\n", "b": GOOD.replace("5", "vault")},
                           root)
    assert status == 1
    assert "a: error: there is no program /usr/bin/z in this image" in output
    assert "b:2:8: error: there is no user 'vault' in this image" in output


IMAGE = {"usr/bin/x": "", "etc/seccomp/service": "8 bytes."}


def test_links_are_followed_as_on_the_machine():
    root = IMAGE | {"bin": "->/usr/bin", "usr/bin/y": "->../../../../bin/x", "usr/bin/z": "->/bin/sh"}
    assert check({"a": GOOD.replace("/usr", ""), "b": GOOD.replace("/x", "/y")}, root) == (0, "")
    status, output = check({"a": GOOD.replace("/x", "/z")}, root)
    assert (status, output) == (1, "a: error: there is no program /usr/bin/z in this image\n")


def test_paths_have_to_be_there():
    for line in ("write = /srv/a", "hide = /srv/a", "tmpfs = /srv/a", "bind = /srv/a:/etc", "bind = /etc:/srv/a"):
        status, output = check({"a": GOOD + line + "\n"}, IMAGE)
        assert (status, output) == (1, f"a: error: `{line.split()[0]}`: there is no /srv/a in this image\n")
    # What the machine makes at boot is in no image.
    fine = "write = /var/a /run/a /proc/sys/net\nhide = /sys/firmware\nwrite = /tmp\nbind = /etc:/usr/bin/x /var/b:/run/b\n"
    assert check({"a": GOOD + fine}, IMAGE) == (0, "")


def test_the_host_name_is_one():
    assert check({"a": GOOD}, IMAGE | {"etc/hostname": "node-1.example\n"}) == (0, "")
    for name in ("a/b", "x" * 65, "a b", "", "-a"):
        status, output = check({"a": GOOD}, IMAGE | {"etc/hostname": name + "\n"})
        assert status == 1 and output.startswith("/etc/hostname: error: expected one name of letters"), output


def test_names_of_files():
    for name in ("eth0~", "#eth0#", "eth 0", "eth0\u202e"):
        status, output = check({"a": GOOD}, IMAGE | {f"etc/network/{name}": "link = eth0\naddress = dhcp\n"})
        assert status == 1 and output.endswith(": error: a file's name has letters, digits and - _ .\n"), output
        assert "\u202e" not in output
    assert check({"a": GOOD}, IMAGE | {"etc/network/50-eth0.100": "link = eth0\naddress = dhcp\n"}) == (0, "")


def test_what_does_not_show_is_shown():
    """A mark that turns the text round must not do so in the message about it."""
    assert check({"a": GOOD + "user \u202e= \x1b[m\n"}) == (1, (
        "a:3:6: error: not a printable character: it does not show, or is not UTF-8\n"
        "    user ???= ?[m\n"
        "         ^\n"))
    # And the caret is where the character is, not the byte.
    assert check({"a": GOOD + "env = Ä=ä ready\n"})[1].endswith("    env = Ä=ä ready\n          ^~~\n"
                                                             "a:3:13: error: expected NAME=VALUE, a name of letters, digits and _\n"
                                                             "    env = Ä=ä ready\n              ^~~~~\n")


def test_so_many_files_and_no_more():
    status, output = check({f"s{n}": GOOD for n in range(1024)})
    assert status == 1 and output.endswith("/etc/init: error: at most 1023 service files: 1 too many\n"), output
    assert len(output.splitlines()) == 1


def test_profiles_have_to_be_there():
    status, output = check({"a": GOOD + "seccomp = mine\n"}, {"usr/bin/x": "", "etc/seccomp/service": "8 bytes."})
    assert status == 1
    assert "a: error: there is no seccomp profile 'mine' in this image" in output


def test_disk_files_too():
    status, output = check({"a": GOOD}, {"usr/bin/x": "", "etc/seccomp/service": "8 bytes.", "etc/disks/data": "find = lable x\n"})
    assert (status, output) == (1, (
        "/etc/disks/data:1:8: error: unknown word 'lable': did you mean 'label'?\n"
        "    find = lable x\n"
        "           ^~~~~\n"))


def test_network_files_too():
    link = "link = eth0\nadress = dhcp\n"
    status, output = check({"a": GOOD}, {"usr/bin/x": "", "etc/seccomp/service": "8 bytes.", "etc/network/eth0": link})
    assert status == 1
    assert output.startswith("/etc/network/eth0:2:1: error: unknown key 'adress': did you mean 'address'?\n")


def test_the_manual_is_that_of_the_parser():
    docs = DOCS / "service-files.md"
    said = subprocess.run([os.environ["INIT"], "--manual"], capture_output=True, text=True, check=True).stdout
    assert docs.read_text() == said, "write docs/service-files.md anew: init --manual"


def test_exposure():
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / "etc/init"
        folder.mkdir(parents=True)
        (Path(base) / "etc/seccomp").mkdir()
        (Path(base) / "etc/seccomp/service").write_text("8 bytes.")
        (folder / "a").write_text(GOOD + "net = none\nmemory = 8M\n")
        (folder / "b").write_text("run = /usr/bin/x\nuser = root\nmounts = machine\nlandlock = no\ncaps = all\nseccomp = none\n"
                                  "new-privs = yes\npids = unlimited\n")
        done = subprocess.run([os.environ["INIT"], "--security", str(folder), base], capture_output=True, text=True)
        scores = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()}
        assert (scores["a"], scores["b"]) == ("0.0", "10.0"), done.stdout


def test_log_is_taken():
    status, output = check({"log": GOOD})
    assert status == 1 and "log: error: init itself has lines of this name in the log" in output


def test_no_folder():
    done = subprocess.run([os.environ["INIT"], "--check", "/no/such"], capture_output=True)
    assert done.returncode == 2


def test_every_boot_argument_is_known():
    """PID 1 says which copal.* words of the kernel's command line nobody reads; its list has all that somebody does."""
    source = Path(__file__).resolve().parent.parent / "src"
    known = re.search(r"kParameters = \{(.*?)\}", (source / "init/machine.cc").read_text(), re.S)[1]
    read = {name for path in source.rglob("*.cc") for name in re.findall(r'"(copal\.[a-z-]+)"', path.read_text())}
    assert read == set(re.findall(r'"(.*?)"', known))


if __name__ == "__main__":
    from pid1 import main
    sys.exit(main(globals()))
