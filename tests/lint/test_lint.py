"""scripts/lint: what clang-tidy said is kept by all that it depends on, and nothing else is."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
# Finds the word BAD in what it compiles; writes down which files it was asked about.
TIDY = """\
#!/bin/bash
[ "$1" = --version ] && { cat %(bin)s/version; exit; }
echo "$2" >>%(log)s
[ ! -e %(bin)s/hook ] || . %(bin)s/hook
shift
g++ -E "$1" "${@:3}" | grep -q BAD || exit 0
echo "$PWD/$1:1:1: error: BAD [some-check]"
echo '1 warnings generated.' >&2
exit 1
"""


class Checkout:
    """Two files, of which one includes a header, and programs that find nothing, but for clang-tidy."""

    def __init__(self, base):
        self.root, self.log, self.bin, self.cache = base / "checkout", base / "log", base / "bin", base / "cache"
        for folder in ("tools", "mkimage"):
            (self.root / "scripts" / folder).mkdir(parents=True)
        self.write("configs/one_defconfig", "# A board\n")
        self.write("Makefile", "%_defconfig: ; @:\ncheck-recipes: ; @:\n")
        shutil.copy2(REPO / "scripts/lint", self.root / "scripts/lint")
        self.write("init/src/one.cc", '#include <one/system.h>\n#include "one.h"\nint one;\n')
        self.write("init/src/one.h", "#pragma once\n")
        self.write("init/src/two.cc", "int two;\n")
        self.write(".clang-tidy", "Checks: '*'\n")
        self.write("../system/one/system.h", "\n")
        self.write("../bin/version", "1.0\n")
        subprocess.run(["git", "init", "-q", self.root], check=True)
        for path in ("checkout/scripts/check-style", "bin/shellcheck", "bin/clang-format", "cache/copal/ruff/bin/ruff"):
            self.program(base / path, "#!/bin/sh\n")
        self.program(self.bin / "clang-tidy", TIDY % {"bin": self.bin, "log": self.log})
        self.environment = os.environ | {"PATH": f"{self.bin}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(self.cache),
                                         "CPLUS_INCLUDE_PATH": str(base / "system")}

    def write(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    @staticmethod
    def program(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def lint(self):
        """Exit code, output, and the files that clang-tidy was asked about."""
        self.log.write_text("", encoding="utf-8")
        done = subprocess.run([self.root / "scripts/lint"], env=self.environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr, sorted(Path(line).name for line in self.log.read_text("utf-8").split())


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


@pytest.fixture
def linted(checkout):
    code, out, asked = checkout.lint()
    assert code == 0 and asked == ["one.cc", "two.cc"], out
    return checkout


def test_nothing_changed(linted):
    assert linted.lint()[::2] == (0, [])


@pytest.mark.parametrize(("path", "text", "again"), [
    ("init/src/two.cc", "int other;\n", ["two.cc"]),
    ("init/src/one.h", "#pragma once\nint one_h;\n", ["one.cc"]),
    (".clang-tidy", "Checks: 'bugprone-*'\n", ["one.cc", "two.cc"]),
    ("../bin/version", "2.0\n", ["one.cc", "two.cc"]),
    ("../system/one/system.h", "int system_h;\n", ["one.cc", "two.cc"]),
])
def test_what_changed_is_looked_at_again(linted, path, text, again):
    linted.write(path, text)
    assert linted.lint()[::2] == (0, again)


def test_header_that_hides_another(linted):
    linted.write("init/src/one.cc", '#include <one/system.h>\n#include "three.h"\n')
    linted.write("init/tests/three.h", "\n")
    assert linted.lint()[2] == ["one.cc"]
    linted.write("init/src/three.h", "#define THREE BAD\nint THREE;\n")
    code, out, asked = linted.lint()
    assert (code, asked) == (1, ["one.cc"]) and "init/src/one.cc:1:1: error: BAD" in out


def test_finding_is_shown_until_it_is_mended(linted):
    linted.write("init/src/one.h", "int BAD;\n")
    for asked in (["one.cc"], [], []):
        code, out, now = linted.lint()
        assert code == 1 and now == asked
        assert "\ninit/src/one.cc:1:1: error: BAD [some-check]\n" in out and "generated" not in out
    linted.write("init/src/one.h", "#pragma once\n")
    assert linted.lint()[::2] == (0, [])


def test_finding_of_another_checkout_names_this_ones_file(linted):
    linted.write("init/src/one.h", "int BAD;\n")
    linted.lint()
    other = linted.root.rename(linted.root.parent / "other")
    linted.root = other
    assert "\ninit/src/one.cc:1:1: error: BAD" in linted.lint()[1]


@pytest.mark.parametrize("hook", ["kill -9 $$", "exit 1", "echo no such library; exit 127"])
def test_clang_tidy_that_fails_is_no_verdict(checkout, hook):
    checkout.write("../bin/hook", hook)
    code, out, _ = checkout.lint()
    assert code == 1 and "init/src/two.cc: clang-tidy itself failed" in out
    (checkout.bin / "hook").unlink()
    assert checkout.lint()[::2] == (0, ["one.cc", "two.cc"])


def test_killed_lint_leaves_no_verdict(checkout):
    checkout.write("../bin/hook", "sleep 60")
    with subprocess.Popen([checkout.root / "scripts/lint"], env=checkout.environment, start_new_session=True) as process:
        while not checkout.log.exists():
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGTERM)
    (checkout.bin / "hook").unlink()
    assert checkout.lint()[::2] == (0, ["one.cc", "two.cc"])


def test_file_that_changes_meanwhile_is_no_verdict(checkout):
    """clang-tidy saw the good file, but the bad one is what the key was made of."""
    checkout.write("init/src/two.cc", "int BAD;\n")
    checkout.write("../bin/hook", "[ ${2##*/} != two.cc ] || echo 'int two;' >init/src/two.cc")
    assert checkout.lint()[0] == 0
    (checkout.bin / "hook").unlink()
    checkout.write("init/src/two.cc", "int BAD;\n")
    assert checkout.lint()[::2] == (1, ["two.cc"])


def test_file_whose_headers_cannot_be_listed(linted):
    linted.write("init/src/two.cc", "#if 1\n")
    code, out, _ = linted.lint()
    assert code == 1 and "init/src/two.cc:1: error: unterminated #if" in out
    assert linted.lint()[0] == 1
