"""A temporary checkout: the real engine, a configuration of its own and tiny packages."""

import contextlib
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
EPOCH = 1735689600  # SOURCE_DATE_EPOCH of Makefile
# The machine may be busy with a compiler: what takes longer than this hangs.
LIMIT = 180

KCONFIG = """\
mainmenu "Engine test"

config ARCH
	string
	default "x86_64"

config BOARD
	string "Board"

config COLOUR
	string "Colour"
	default "red"

config LIGHT
	bool "Light"

config LAMP
	bool "Lamp"
	depends on LIGHT

osource "packages/*/Kconfig"
"""

PACKAGE_KCONFIG = """\
config PACKAGE_{symbol}
	bool "{name}"
"""

IMAGE_RECIPE = """\
version = 1
build   = own
entries = linux $(image-packages)
"""

IMAGE_SCRIPT = """\
step_install() {
    ls /entries >/out/packages
    (cd /out && sha256sum packages) >/out/SHA256SUMS
}
"""


@dataclass
class Done:
    """A make that ended."""

    code: int
    out: str
    err: str

    @property
    def all(self):
        return self.out + self.err

    def built(self):
        """The packages that were built, in order."""
        return [line.split()[1] for line in self.out.splitlines() if line.startswith("  BUILD ")]


def eventually(condition, what, limit=LIMIT):
    """Waits for something that other processes do; its value is returned."""
    end = time.monotonic() + limit
    while not (value := condition()):
        assert time.monotonic() < end, f"in {limit} s it did not happen that {what}"
        time.sleep(0.02)
    return value


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def read(path):
    return path.read_text(encoding="utf-8", errors="replace")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tarball(path, files):
    """Writes a tarball with one leading folder; the same bytes each time. Returns its pin."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"leading/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return sha256(path)


class Running:
    """A make under way, in a process group of its own."""

    def __init__(self, process, folder):
        self.process, self.folder = process, folder

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def wait(self):
        code = self.process.wait(timeout=LIMIT)
        return Done(code, read(self.folder / "out"), read(self.folder / "err"))

    def stop(self):
        """Whatever happened in the test, nothing may go on running."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)
            self.process.wait()


class Tree:
    """A checkout in base/checkout, with its own O, STORE, DL and HOME beside it."""

    def __init__(self, base, engine, tools, checkout="checkout"):
        self.base, self.tools = base, tools
        self.root, self.o, self.store, self.dl = base / checkout, base / "o", base / "store", base / "dl"
        self.home = base / "home"
        self.environment = {}
        self.running = []
        for folder in (self.store, self.dl, self.home):
            folder.mkdir(parents=True, exist_ok=True)
        # A copy, so that tests can change the engine's own inputs; times are kept, so that the tools are not compiled again.
        shutil.copytree(engine, self.root, symlinks=True)
        write(self.root / "configs/Kconfig", KCONFIG)
        write(self.root / "packages/image/image.mk", IMAGE_RECIPE)
        write(self.root / "packages/image/image.sh", IMAGE_SCRIPT)
        self.package("linux", folder="kernel")
        self.package("init", folder="init")

    # What is in the checkout

    def package(self, name, script="", *, folder=None, extra="", **fields):
        """Writes a recipe, its script and its option. A field f_y of a keyword is written f-y."""
        fields = {"version": "1", "build": "own"} | fields
        lines = [f"{field.replace('_', '-')} = {value}" for field, value in fields.items() if value is not None]
        home = self.root / (folder or f"packages/{name}")
        write(home / f"{name}.mk", "\n".join(lines) + "\n" + extra)
        prefix = "/out/host" if name.startswith(("host-", "cross-")) else "/out/usr"
        if "step_install()" not in script:  # an entry has something in it
            script += f"step_install() {{ install -d {prefix}/share; echo {name} >{prefix}/share/{name}; }}\n"
        write(home / f"{name}.sh", script)
        if folder is None and not name.startswith(("host-", "cross-")):
            write(home / "Kconfig", PACKAGE_KCONFIG.format(symbol=name.upper().replace("-", "_"), name=name))
        return home

    def edit(self, path, old, new):
        text = read(self.root / path)
        assert old in text, f"{path} has no {old!r}"
        write(self.root / path, text.replace(old, new))

    def source(self, name, files):
        """Puts a tarball into the download folder and returns its pin."""
        return self.keep(name, lambda path: tarball(path, files))

    def keep(self, name, write_to):
        """Puts a file into the download folder, where its hash says, and returns that."""
        path = self.base / "new-source"
        write_to(path)
        pin = sha256(path)
        (self.dl / pin).mkdir(exist_ok=True)
        path.rename(self.dl / pin / name)
        return pin

    def configure(self, *packages, board="test", **symbols):
        values = {f"PACKAGE_{name.upper().replace('-', '_')}": "y" for name in packages} | symbols
        lines = [f"CONFIG_{symbol}={value}" for symbol, value in values.items()]
        write(self.root / f"configs/{board}_defconfig", "\n".join(["# A board for tests", *lines]) + "\n")
        return self.make(f"{board}_defconfig")

    # Running make

    def env(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", "O": str(self.o), "STORE": str(self.store),
                "DL": str(self.dl), "TOOLS": str(self.tools)} | self.environment

    def run(self, *words, env=None, prefix=(), limit=LIMIT, **options):
        """Runs make, whatever it comes to. A value None takes a variable out of the environment."""
        environment = {name: value for name, value in (self.env() | (env or {})).items() if value is not None}
        done = subprocess.run([*prefix, "make", *words], cwd=self.root, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=limit, check=False, **options)
        return Done(done.returncode, done.stdout, done.stderr)

    def make(self, *words, **options):
        done = self.run(*words, **options)
        assert done.code == 0, f"make {' '.join(words)} failed:\n{done.out}\n{done.err}"
        return done

    def fails(self, *words, **options):
        done = self.run(*words, **options)
        assert done.code == 2, f"make {' '.join(words)} should fail, but exit code {done.code}:\n{done.out}\n{done.err}"
        return done

    def start(self, *words, env=None):
        folder = self.base / f"run{len(self.running)}"
        folder.mkdir()
        with open(folder / "out", "wb") as out, open(folder / "err", "wb") as err:
            process = subprocess.Popen(["make", *words], cwd=self.root, env=self.env() | (env or {}), stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=err, start_new_session=True)
        self.running.append(Running(process, folder))
        return self.running[-1]

    def stop_all(self):
        for running in self.running:
            running.stop()

    # What came out

    @staticmethod
    def snapshot(*folders):
        """All that is to be seen of all files below: what was changed, if only for a moment, shows."""
        found = {}
        for folder in folders:
            for store in (folder, folder / "store"):
                eventually(lambda: not list((store / ".work").glob(".trash.*")), "the work folders of builds are gone")  # noqa: B023
            for path in [folder, *sorted(folder.rglob("*"))]:
                facts = path.lstat()
                content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
                found[str(path)] = (facts.st_mode, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns, content)
        return found

    def info(self):
        return json.loads(self.make("show-info").out)

    def keys(self, **options):
        """The entry of each package: its name carries its key. Nothing is built."""
        return {name: facts["entry"] for name, facts in json.loads(self.make("show-info", **options).out).items()}

    def entry(self, name):
        """The one entry of a package in the store, as a path."""
        found = self.entries(name)
        assert len(found) == 1, f"{name}: {found}"
        return found[0]

    def entries(self, name=None):
        """The entries in the store, all or those of one package, as paths."""
        paths = sorted(path for path in self.store.iterdir() if not path.name.startswith("."))
        return [path for path in paths if name in (None, path.name.rsplit("-", 2)[0])]

    def out(self, name, path):
        """What a package installed at a path."""
        return read(self.entry(name) / "tree" / path.lstrip("/"))

    def log(self, name, o=None):
        path = (o or self.o) / "logs" / f"{name}.log"
        return read(path) if path.exists() else ""

    def awaits(self, name, word, o=None):
        """Waits until the build of a package has written a line."""
        eventually(lambda: word in self.log(name, o).splitlines(), f"{name} wrote {word!r}; its log:\n{self.log(name, o)}")

    def gate(self, name):
        """The host's side of a gate (see GATE) in the build that is under way."""
        return next((self.store / ".work").glob(f"{name}-*/build/gate"))

    def open_gate(self, name, word="go"):
        self.gate(name).write_text(word + "\n", encoding="utf-8")


# A build step that says `waiting` and goes on when the test opens the gate.
GATE = """\
mkfifo /build/gate
echo waiting
read -r word </build/gate
"""
