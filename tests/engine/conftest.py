"""Fixtures of the engine tests. The engine's C++ tools and bubblewrap are built once, in a first tree, and shared."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .tree import REPOSITORY, Tree


def of_the_user(variable, folder):
    """The user's downloads and store, where bubblewrap may be already."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME", "/"), ".cache")
    return Path(os.environ.get(variable) or os.path.join(cache, "copal", folder))


def lend_bubblewrap(source, destination):
    for file in source.glob("*/bubblewrap_*"):
        (destination / file.parent.name).mkdir(exist_ok=True)
        shutil.copy2(file, destination / file.parent.name)


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    """The engine as it is now: what is edited while the tests run does not reach them."""
    folder = tmp_path_factory.mktemp("engine") / "tree"
    folder.mkdir()
    shutil.copy2(REPOSITORY / "Makefile", folder)
    shutil.copytree(REPOSITORY / "scripts", folder / "scripts", symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(REPOSITORY / "packages/bubblewrap", folder / "packages/bubblewrap")
    return folder


@pytest.fixture(scope="session")
def first_tree(engine, tmp_path_factory):
    base = tmp_path_factory.mktemp("first")
    # TOOLS= keeps the compiled tools from one run of the tests to the next.
    tree = Tree(base, engine, Path(os.environ.get("TOOLS") or base / "tools"))
    lend_bubblewrap(of_the_user("DL", "dl"), tree.dl)
    tree.configure()
    entry = of_the_user("STORE", "store") / tree.keys()["host-bubblewrap"]
    if entry.exists():
        subprocess.run(["cp", "-a", entry, tree.store], check=True)
    tree.make("host-bubblewrap", limit=1800)
    return tree


@pytest.fixture
def new_tree(engine, first_tree, tmp_path):
    """Makes trees: new_tree("name") is one more, elsewhere."""
    trees = []

    def new(name="tree", checkout="checkout"):
        tree = Tree(tmp_path / name, engine, first_tree.tools, checkout)
        lend_bubblewrap(first_tree.dl, tree.dl)
        subprocess.run(["cp", "-a", first_tree.entry("host-bubblewrap"), tree.store], check=True)
        trees.append(tree)
        return tree

    yield new
    for tree in trees:
        tree.stop_all()


@pytest.fixture
def tree(new_tree):
    return new_tree()
