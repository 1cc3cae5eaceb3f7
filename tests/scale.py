"""A checkout with many fake packages, all of them in the store: what `make` costs when there is nothing to do.

usage: scale.py COUNT...        prints the processor seconds of a make with nothing to do, for each count
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
RECIPE = """\
# A fake package, as long as a real one.
summary   = Package {number} of many
version   = 1.{number}
licence   = MIT
depends   = {depends}
build     = own
options   = --with-a --with-b
configure = --prefix=/usr $(options) --disable-{number}
configure-$(CONFIG_LIGHT) += --enable-light
image     = /usr/bin/p{number}
"""
KCONFIG = 'config PACKAGE_P{number}\n\tbool "p{number}"\n\tdefault y\n'
ROOTS = {"kernel/linux": "", "init/init": "", "packages/image/image": "entries = linux $(image-packages)\n"}


def fake_recipes(root, count):
    for number in range(1, count + 1):
        folder = root / "packages" / f"p{number}"
        folder.mkdir(parents=True)
        depends = sorted({f"p{n}" for n in (number // 2, number // 3, number - 1) if n})
        (folder / f"p{number}.mk").write_text(RECIPE.format(number=number, depends=" ".join(depends)))
        (folder / f"p{number}.sh").write_text("step_install() { :; }\n")
        (folder / "Kconfig").write_text(KCONFIG.format(number=number))
    for path, more in ROOTS.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / f"{path}.mk").write_text("version = 1\nbuild = own\n" + more)
        (root / f"{path}.sh").write_text("step_install() { :; }\n")
    shutil.copytree(REPOSITORY / "packages/bubblewrap", root / "packages/bubblewrap")
    (root / "configs").mkdir()
    (root / "configs/Kconfig").write_text(
        'mainmenu "Scale"\nconfig ARCH\n\tstring\n\tdefault "x86_64"\nconfig BOARD\n\tstring\n\tdefault ""\n'
        'config CMDLINE\n\tstring\n\tdefault ""\nconfig LIGHT\n\tbool "Light"\nosource "packages/*/Kconfig"\n')
    (root / "configs/scale_defconfig").write_text("# Many packages\n")


def fill_store(environment):
    """Every entry, as if it had been built."""
    inputs, store = Path(environment["O"], "inputs"), Path(environment["STORE"])
    told = subprocess.run(["make", "show-vars"], cwd=environment["ROOT"], env=environment, check=True, capture_output=True, text=True)
    seal = next(line for line in told.stdout.splitlines() if line.startswith("TOOLS=")).removeprefix("TOOLS=") + "/store"
    for path in inputs.glob("[a-z]*"):
        tree = store / path.name / "tree/usr/bin"
        tree.mkdir(parents=True)
        for file in ("a", "b", "c"):
            (tree / file).write_text(path.name)
        shutil.copy(path, store / path.name / "inputs")
        subprocess.run([seal, "seal", store / path.name / "tree", store / path.name], check=True,
                       env=environment | {"SOURCE_DATE_EPOCH": "1735689600"})


def processor_seconds(command, **options):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - started


def nothing_to_do(count, runs=5):
    """Processor seconds and seconds of a make with nothing to do: the least of some runs."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "checkout")
        root.mkdir()
        shutil.copy2(REPOSITORY / "Makefile", root)
        shutil.copytree(REPOSITORY / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        environment |= {"O": f"{folder}/o", "STORE": f"{folder}/store", "DL": f"{folder}/dl", "ROOT": str(root)}
        fake_recipes(root, count)
        options = {"cwd": root, "env": environment}
        subprocess.run(["make", "scale_defconfig"], check=True, stdout=subprocess.DEVNULL, **options)
        # What is to be built has its inputs kept; it is not built, since nothing could fetch the sandbox here.
        subprocess.run(["make", "source"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
        fill_store(environment)
        subprocess.run(["make"], check=True, stdout=subprocess.DEVNULL, **options)
        return min(processor_seconds(["make"], **options) for _ in range(runs))


if __name__ == "__main__":
    for words in sys.argv[1:]:
        cpu, wall = nothing_to_do(int(words))
        print(f"{words} packages: {cpu:.2f} s CPU, {wall:.2f} s")
