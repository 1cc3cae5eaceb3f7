"""scripts/check-style: for each rule, what it must find and where; a good tree, in which it must find nothing."""

import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import sys

import pytest

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(REPO, "scripts", "check-style")
PIN = "0123456789abcdef" * 4
HOST = "archive.registry.example"

# As a module, so that each case costs milliseconds; without leaving a compiled file beside the script.
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("check_style", SCRIPT)
check_style = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_style", loader))
loader.exec_module(check_style)

RECIPE = f"""\
# Why, where the name does not say it.
summary   = Small SSH server
version   = 2025.89
licence   = MIT AND (BSD-2-Clause OR GPL-2.0-only WITH Linux-syscall-note)
source    = debian:dropbear/dropbear_$(version).orig.tar.bz2
sha256    = {PIN}
source   += go:example.org/helper@v$(version)
sha256   += {PIN}
depends   = host-make zlib
build     = autotools
kind-$(CONFIG_DEV) = dev
configure = --disable-zlib --kind=$(kind-y)

# A block of its own is aligned by itself.
configure-$(CONFIG_SFTP) += --enable-sftp
files = scripts/build
image = /usr/sbin/dropbear
"""
PATCH = """\
A title

Why:   a reason
From:  Copal

--- a/main.c
+++ b/main.c
@@ -1 +1 @@
-x
+y
"""
KCONFIG = (
    'config PACKAGE_DROPBEAR\n\tbool "dropbear"\n\tdepends on DEV\n'
    "\thelp\n\t  A small SSH server.\n\n\t  For machines that people log in to.\n"
)
MINIMAL = f"summary = A thing\nversion = 1\nlicence = MIT\nsource = https://example.org/thing.tar\nsha256 = {PIN}\nbuild = make\n"
TREE = {
    "Makefile": "all:\n\techo\n",
    "README.md": "Copal\n",
    "LICENSE": "MIT\n",
    ".gitignore": "/output/\n",
    "configs/Kconfig": 'mainmenu "Copal"\n\nconfig ARCH\n\tstring\n\tdefault "x"\n\n'
                       'config DEV\n\tbool "Development"\n\thelp\n\t  A shell.\n',
    "configs/dev_defconfig": "# For trying things\nCONFIG_DEV=y\n# CONFIG_PACKAGE_DROPBEAR is not set\n",
    "scripts/arch/x86_64.mk": "TARGET := x86_64-linux-musl\n",
    "scripts/build/common.sh": "# all\n",
    "scripts/build/autotools.sh": "# autotools\n",
    "scripts/build/make.sh": "# make\n",
    "packages/dropbear/dropbear.mk": RECIPE,
    "packages/dropbear/dropbear-one.patch": PATCH,
    "packages/dropbear/Kconfig": KCONFIG,
    "packages/dropbear/service": "# The server\nrun = /usr/sbin/dropbear -F\nneeds = network\nneeds = disk\n",
    "packages/zlib/zlib.mk": MINIMAL,
    "packages/make/host-make.mk": MINIMAL.replace("= make", "= own"),
    "packages/make/host-make.sh": "# make\n",
    "kernel/linux.mk": MINIMAL + "fragments = kernel/base.config kernel/arch/$(CONFIG_ARCH).config\n",
    "kernel/base.config": "# What every machine needs\nCONFIG_EXPERT=y\n# CONFIG_DEVMEM is not set\n# ss reads it.\nCONFIG_INET_DIAG=y\n\n"
                          "# Exceptions to KSPP:\n# KFENCE, BUG and such: too slow\n#   here.\n# CONFIG_KFENCE is not set\n",
    "kernel/arch/x86_64.config": "# x86-64\nCONFIG_64BIT=y\n",
    "init/src/core/keys.inc": 'KEY(run, "run", 1, 64, false, "/PROGRAM")\nKEY(needs, "needs", 1, 64, true,  "SERVICE...")\n'
                              'KEY(restart, "restart", 1, 2, false, "always | never")\n',
    "docs/style.md": "`TODO` may be talked about.\n\n    NO   cd /" + "home/anna\n",
}


def findings(folder, changes):
    for path, text in (TREE | changes).items():
        if text is not None:
            os.makedirs(os.path.dirname(folder / path), exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    return check_style.check(str(folder), {HOST})


def edit(path, old, new):
    """A case: the file of the good tree with one thing changed."""
    assert TREE[path].count(old) == 1, (path, old)
    return {path: TREE[path].replace(old, new)}


MK, BASE, LINUX = "packages/dropbear/dropbear.mk", "kernel/base.config", "kernel/linux.mk"
KC, PA, SV, DC = "packages/dropbear/Kconfig", "packages/dropbear/dropbear-one.patch", "packages/dropbear/service", "configs/dev_defconfig"
SH = "scripts/build/make.sh"

# (rule, changes, "file:line", what the message must say).
BAD = [
    ("tree-top", {"tools/x.sh": "# x\n"}, "tools/x.sh:1", "no place for tools"),
    ("tree-host", {SH: f"# x\ncurl ftp://{HOST}/pool\n"}, f"{SH}:2", "ask the client's own configuration"),
    ("tree-path", {SH: f"# x\ncd /{'home'}/anna\n"}, f"{SH}:2", "relative to the repository"),
    ("tree-path", {SH: f"# x\nexport D='/{'work'}/main'\n"}, f"{SH}:2", "a path of one machine"),
    ("tree-leftover", {SH: f"# x\n# {'TO' + 'DO'}: more\n"}, f"{SH}:2", "a leftover"),
    ("tree-leftover", {SH: f"# {'FIX' + 'ME'}\n"}, f"{SH}:1", "a leftover"),
    ("text-blank", {SH: "# x \n"}, f"{SH}:1", "blanks at the end"),
    ("text-end", {SH: "# x"}, f"{SH}:1", "one newline"),
    ("text-end", {SH: "# x\n\n"}, f"{SH}:2", "one newline"),
    ("text-width", edit(MK, "--disable-zlib", "--disable-zlib " + "x" * 130), f"{MK}:12", "write at most 140"),
    ("recipe-form", edit(MK, "build     =", "build     :="), f"{MK}:10", "write = or +="),
    ("recipe-form", edit(MK, "build     = a", "build=a"), f"{MK}:10", "write build = autotools"),
    ("recipe-form", edit(MK, "build     = a", "build     =  a"), f"{MK}:10", "write build = autotools"),
    ("recipe-form", edit(MK, "=$(kind-y)", "=$(kind-y) \\\n  --x"), f"{MK}:12", "write a second line: configure += …"),
    ("recipe-align", edit(MK, "files = ", "files     = "), f"{MK}:16", "write one blank before it"),
    ("recipe-order", edit(MK, "version   = 2025.89\nlicence", "licence = MIT\nversion = 1\nlicence"), f"{MK}:4", "write it before licence"),
    ("recipe-order", {"packages/zlib/zlib.mk": MINIMAL + "depends = host-make\n"}, "packages/zlib/zlib.mk:7", "write it before build"),
    ("recipe-summary", {"packages/zlib/zlib.mk": MINIMAL.replace("summary = A thing\n", "")}, "packages/zlib/zlib.mk:1", "no summary"),
    ("recipe-summary", edit(MK, "SSH server", "SSH server."), f"{MK}:2", "write Small SSH server"),
    ("recipe-summary", edit(MK, "Small SSH", "small SSH"), f"{MK}:2", "write Small SSH server"),
    ("recipe-summary", edit(MK, "Small SSH", "Small SSH" + " and long" * 8), f"{MK}:2", "write at most 72"),
    ("recipe-licence", {"packages/zlib/zlib.mk": MINIMAL.replace("licence = MIT\n", "")}, "packages/zlib/zlib.mk:1", "no licence"),
    ("recipe-depends", edit(MK, "host-make zlib", "zlib host-make"), f"{MK}:9", "write host-make zlib"),
    ("recipe-depends", edit(MK, "host-make zlib", "host-make host-make"), f"{MK}:9", "or twice; write host-make"),
    ("recipe-name", {"packages/Zip/zip.mk": MINIMAL}, "packages/Zip/zip.mk:1", "small letters"),
    ("recipe-name", {"packages/zip/zip-host.mk": MINIMAL}, "packages/zip/zip-host.mk:1", "write host-zip"),
    ("recipe-kconfig", {KC: None, DC: "# x\n"}, f"{MK}:17", "write packages/dropbear/Kconfig with config PACKAGE_DROPBEAR"),
    ("kconfig-package", {"packages/zlib/Kconfig": KCONFIG.replace("DROPBEAR", "ZLIBB")}, "packages/zlib/Kconfig:1", "write zlib"),
    ("kconfig-help", edit(KC, '\tbool "dropbear"\n', "\tbool\n"), f"{KC}:1", 'write bool "dropbear"'),
    ("kconfig-help", {KC: 'config PACKAGE_DROPBEAR\n\tbool "dropbear"\n'}, f"{KC}:1", "no help text"),
    ("kconfig-help", {KC: 'config PACKAGE_DROPBEAR\n\tbool "dropbear"\n\thelp\n\t  dropbear\n'}, f"{KC}:1", "no whole sentence"),
    ("kconfig-indent", edit(KC, "\tdepends", "  depends"), f"{KC}:3", "write one tab"),
    ("kconfig-indent", edit(KC, "\tdepends", "depends"), f"{KC}:3", "write a tab before"),
    ("kconfig-indent", edit(KC, "\t  For", "\t\tFor"), f"{KC}:7", "a tab and two blanks before help text"),
    ("fragment-head", edit("kernel/arch/x86_64.config", "# x86-64\n", ""), "kernel/arch/x86_64.config:1", "its concern"),
    ("fragment-form", edit(BASE, "CONFIG_EXPERT=y", "CONFIG_EXPERT=n"), f"{BASE}:2", "write # CONFIG_EXPERT is not set"),
    ("fragment-form", edit(BASE, "CONFIG_EXPERT=y", "CONFIG_EXPERT=m"), f"{BASE}:2", "there are no modules"),
    ("fragment-form", edit(BASE, "CONFIG_EXPERT=y", "EXPERT=y"), f"{BASE}:2", "not an option"),
    ("fragment-twice", edit(BASE, "CONFIG_EXPERT=y", "CONFIG_EXPERT=y\nCONFIG_EXPERT=y"), f"{BASE}:3", "in line 2 already"),
    ("fragment-twice", edit(BASE, "CONFIG_EXPERT=y", "CONFIG_64BIT=y"), "kernel/arch/x86_64.config:2", f"in {BASE}:2 already"),
    ("fragment-reason", edit(BASE, "# ss reads it.\n", ""), f"{BASE}:4", "INET_DIAG against the advice of KSPP"),
    ("fragment-reason", edit(BASE, "# CONFIG_DEVMEM is not set", "CONFIG_EXPERTS=y\n# CONFIG_SECCOMP is not set"), f"{BASE}:4", "SECCOMP"),
    ("fragment-reason", edit(BASE, "such: too slow", "such, too slow"), f"{BASE}:8", "write # NAME: why"),
    ("defconfig-head", edit(DC, "# For trying things\n", ""), f"{DC}:1", "list-defconfigs"),
    ("defconfig-form", edit(DC, "CONFIG_DEV=y", "DEV=y"), f"{DC}:2", "not an assignment"),
    ("defconfig-form", edit(DC, "CONFIG_DEV=y", "CONFIG_DEV=n"), f"{DC}:2", "write # CONFIG_DEV is not set"),
    ("defconfig-form", edit(DC, "CONFIG_DEV=y", "CONFIG_DEV=y\nCONFIG_DEV=y"), f"{DC}:3", "in line 2 already"),
    ("defconfig-symbol", edit(DC, "PACKAGE_DROPBEAR", "PACKAGE_DROPBEER"), f"{DC}:3", "write PACKAGE_DROPBEAR"),
    ("service-form", edit(SV, "run = ", "run="), f"{SV}:2", "write key = words"),
    ("service-key", edit(SV, "run = ", "runs = "), f"{SV}:2", "there is no key runs; write run"),
    ("service-key", edit(SV, "run = ", "restart = a b c\nrun = "), f"{SV}:2", "write restart = always | never"),
    ("service-key", edit(SV, "run = ", "run = /x\nrun = "), f"{SV}:3", "in line 2 already"),
    ("patch-header", edit(PA, "A title\n", "\n"), f"{PA}:1", "no title"),
    ("patch-header", edit(PA, "Why:   a reason\n", ""), f"{PA}:1", "lacks Why:"),
    ("patch-header", edit(PA, "From:  Copal\n", "From:\n"), f"{PA}:1", "lacks From:"),
    ("patch-path", edit(PA, "--- a/main.c", "--- dropbear/main.c"), f"{PA}:6", "begin with a/ and b/"),
]


@pytest.mark.parametrize(("rule", "changes", "where", "says"), BAD, ids=[f"{case[0]}-{n}" for n, case in enumerate(BAD)])
def test_bad(tmp_path, rule, changes, where, says):
    found = findings(tmp_path, changes)
    hits = [f for f in found if f.rule == rule and f"{f.path}:{f.line}" == where and says in f.message]
    assert len(hits) == 1, found
    assert re.search(r"; (write|see) .|; ask .", hits[0].message)


# Changes that leave a good tree good.
GOOD = [
    {},
    edit(PA, "Why:   a", "Why:   a long\n       reason. And a"),
    edit(PA, "From:", "Origin:"),
    edit(PA, "-x", "-x /* TO" + "DO */  "),
    edit(MK, "depends   = host-make zlib", "depends   = host-make $(kind-y)"),
    edit(MK, "configure = ", "zeal = 1\nconfigure = --zeal=$(zeal) "),
    edit(MK, "image =", "image-$(CONFIG_DEV) += /usr/bin/x\nimage ="),
    {SH: "# mktemp -d x.XXXXXX; ls $work/src \"$HOME/root/x\" ~/home/x\n"},
    {SH: f"# not-{HOST} {HOST}.evil\n"},
    {"init/fuzz/corpus/notify/x": "READY=1 \n\n"},
    {"packages/go/host-go.mk": "summary = Go\nversion = 1\nlicence = MIT\n\npins-x = " + PIN + "\n"
                               "source = https://x/$(version)\nsha256 = $(pins-$(HOST_ARCH))\nbuild = make\n"},
    {"packages/zlib/zlib.mk": MINIMAL.replace("MIT", "NONE")},
    {"board/x/kernel.config": "# A board\n# It has no firmware.\n# CONFIG_SECCOMP is not set\nCONFIG_HEX=0x0\nCONFIG_S=\"\"\n"},
]


@pytest.mark.parametrize("changes", GOOD, ids=range(len(GOOD)))
def test_good(tmp_path, changes):
    assert findings(tmp_path, changes) == []


def test_every_rule_is_tested_and_described():
    assert {case[0] for case in BAD} == check_style.RULES
    with open(os.path.join(REPO, "docs", "style.md"), encoding="utf-8") as text:
        assert set(re.findall(r"^### (\S+)$", text.read(), re.M)) == check_style.RULES


def test_the_host_is_not_repeated(tmp_path):
    assert HOST not in str(findings(tmp_path, {SH: f"# {HOST}\n"}))


def test_hosts_come_from_the_clients(tmp_path, monkeypatch):
    for name, says in (("apt-get", "http://deb.one.example/debian"), ("pip3", "global.index-url='https://u:p@py.two.example:81/simple'"),
                       ("go", "https://go.three.example|direct\nsum.four https://127.0.0.1/x")):
        (tmp_path / name).write_text(f"#!/bin/sh\ncat <<'E'\n{says}\nE\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert check_style.registry_hosts() == {"deb.one.example", "py.two.example", "go.three.example"}


def test_command_line(tmp_path):
    """With git, what is ignored is not looked at; the exit code says whether anything was found."""
    findings(tmp_path, {"output/x": "not looked at ", "packages/zlib/zlib.mk": MINIMAL})
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    environment = os.environ | {"PATH": "/usr/bin:/bin"}
    run = subprocess.run([SCRIPT, tmp_path], stdout=subprocess.PIPE, text=True, check=False, env=environment)
    assert (run.returncode, run.stdout) == (0, "")
    (tmp_path / SH).write_text("# x \n")
    run = subprocess.run([SCRIPT, tmp_path], stdout=subprocess.PIPE, text=True, check=False, env=environment)
    assert (run.returncode, run.stdout) == (1, f"{SH}:1: blanks at the end of the line; write the line without them [text-blank]\n")
    assert shutil.which("git")
