"""Every example of a service, disk or network file in the manual is one that `init --check` likes."""

import re
import sys
from pathlib import Path

from test_check import GOOD, check

DOCS = Path(__file__).parents[2] / "docs"
# The kinds of files, by what the first line of an example calls it: `# /etc/disks/persist: why`.
EXAMPLE = re.compile(r"# /?(?:etc/(init)|packages|(?:etc|run/config)/(disks|network))/([a-z0-9-]+)(?:/service)?\b")
SETTING = re.compile(r"([a-z-]+) += (.+)")


def examples():
    """(where, kind, name, text) of each file that the manual shows: blocks that begin with its name."""
    for page in sorted(DOCS.glob("*.md")):
        found = None
        for number, line in enumerate(page.read_text().splitlines() + [""], 1):
            heading = EXAMPLE.match(line[4:]) if line.startswith("    ") else None
            if found and (heading or not line.startswith("    ")):
                yield found
                found = None
            if heading:
                kind = heading[1] or heading[2] or "init"
                found = (f"{page.name}:{number}", kind, heading[3], "")
            if found:
                found = (*found[:3], found[3] + line[4:] + "\n")


def section(page, title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", (DOCS / page).read_text(), re.M | re.S)[1]


def world(text):
    """What service files name: programs, users, profiles; and other services."""
    root = {"etc/passwd": "", "etc/group": "", "etc/seccomp/service": "8 bytes."}
    stubs = {}
    for key, words in SETTING.findall(text):
        words = words.split()
        if key in ("run", "task"):
            root |= {word[1:]: "" for word in (words[0], *words[2:3] * (words[1:2] == ["--at-stop"]))}
        elif key in ("user", "group", "groups"):
            for name in words:
                root["etc/passwd"] += f"{name}:x:9:9::/:\n"
                root["etc/group"] += f"{name}:x:9:\n"
        elif key == "seccomp":
            root[f"etc/seccomp/{words[0]}"] = "8 bytes."
        elif key in ("needs", "after"):
            stubs |= dict.fromkeys(words, GOOD)
    return root, stubs


def try_example(where, kind, name, text):
    root, services = {"usr/bin/x": "", "etc/seccomp/service": "8 bytes."}, {"a": GOOD}
    if kind == "init":
        more, services = world(text)
        root |= more
        services[name] = text
    else:
        root[f"etc/{kind}/{name}"] = text
    status, output = check(services, root)
    assert (status, output) == (0, ""), f"{where}: {text}\n{output}"


def test_files_in_the_manual_are_good():
    shown = list(examples())
    assert {kind for _, kind, _, _ in shown} == {"init", "disks", "network"}
    for where, kind, name, text in shown:
        try_example(where, kind, name, text)


def test_no_example_escapes():
    """What looks like a service, disk or network file has a first line that says which."""
    known = "".join(text for _, _, _, text in examples())
    for page in ("init.md", "metadata.md", "nomad.md"):
        for line in (DOCS / page).read_text().splitlines():
            if line.startswith("    ") and re.fullmatch(r"[a-z-]+ += \S.*", line[4:]):
                assert line[4:] + "\n" in known, f"{page}: {line}"


# What the example of a key cannot do without.
BESIDE = {
    "when": "task = /usr/bin/x\n",
    "limit": "task = /usr/bin/x\n",
    "watchdog": "ready = notify\n",
    "new-privs": "seccomp = none\n",
    "mounts": "landlock = no\n",
}


def test_keys_in_the_manual_are_good():
    """Each example of docs/service-files.md, beside what it cannot do without."""
    shown = re.findall(r"^## ([a-z-]+)\n\n`\1 = .*?^    \1 = ([^\n]*)$", (DOCS / "service-files.md").read_text(), re.M | re.S)
    assert len(shown) > 40
    files = {}
    for key, words in shown:
        text = f"{key} = {words}\n" + BESIDE.get(key, "")
        text += "" if key in ("run", "task") or "task = " in text else "run = /usr/bin/x\n"
        files["key-" + key] = text + ("" if key == "user" else "user = root\n")
    root, stubs = world("".join(files.values()))
    status, output = check(stubs | files, {"usr/bin/x": ""} | root)
    assert (status, output) == (0, ""), output


def test_words_of_disks_in_the_manual_are_good():
    """Each key of the table is in an example, and so is each way to find a disk; those within sentences are good, too."""
    disks = section("init.md", "Disks")
    keys = re.findall(r"^\| `([a-z-]+)` \|", disks, re.M)
    assert "find" in keys and "optional" in keys
    shown = "".join(text for _, kind, _, text in examples() if kind == "disks")
    for key in keys:
        assert re.search(rf"^{key} +=", shown, re.M), f"docs/init.md has no example of `{key}`"
    inline = [(key, words) for key, words in re.findall(r"`([a-z-]+) = ([^`…]+)`", disks) if key in keys]
    for way in ("label", "uuid", "partlabel", "partuuid", "size", "path"):
        assert any(words.startswith(way + " ") for key, words in inline if key == "find"), way
    for key, words in inline:
        rest = "" if key == "find" else "find = size 1G..2G\n"
        try_example("docs/init.md", "disks", "data", f"{key} = {words}\n{rest}")


if __name__ == "__main__":
    from pid1 import main
    sys.exit(main(globals()))
