#!/usr/bin/python3
"""Kconfig goals over kconfiglib, strict where kconfiglib only warns.

usage: kconfig.py defconfig NAME_defconfig | check | menuconfig | oldconfig | olddefconfig | savedefconfig | list-defconfigs

Reads configs/Kconfig. Writes $O/.config and $O/config.mk, the same values in Make's syntax, plus
CONFIG_PACKAGES: the names behind the PACKAGE_* symbols that are set.
"""

import difflib
import os
import re
import sys

try:
    import kconfiglib
except ImportError:
    sys.exit("kconfiglib is missing. Run 'make setup' (Debian: python3-kconfiglib; elsewhere: pip install kconfiglib).")

OUT = os.environ["O"]
CONFIG = os.path.join(OUT, ".config")
CONFIG_MK = os.path.join(OUT, "config.mk")
ASSIGNMENT = re.compile(r"(?:CONFIG_(\w+)=(.*)|# CONFIG_(\w+) is not set)$")


def fail(lines):
    sys.exit("\n".join(lines))


def write_if_changed(path, text):
    """Writes by way of a temporary file, and only when the content differs, so that Make sees no change."""
    try:
        with open(path, encoding="utf-8") as old:
            if old.read() == text:
                return
    except FileNotFoundError:
        pass
    temporary = path + ".tmp"
    with open(temporary, "w", encoding="utf-8") as new:
        new.write(text)
        new.flush()
        os.fsync(new.fileno())
    os.rename(temporary, path)


def assignments(path):
    """Yields (line number, symbol, value) for each assignment; anything else but a comment is an error."""
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            line = line.strip()
            match = ASSIGNMENT.match(line)
            if match:
                yield number, match[1] or match[3], match[2] if match[1] else "n"
            elif line and not line.startswith("#"):
                fail([f"{path}:{number}: not an assignment: {line}", "Write CONFIG_NAME=value or '# CONFIG_NAME is not set'."])


def unmet(symbol):
    """The dependencies of a symbol that do not hold now, in Kconfig's words."""
    missing = [kconfiglib.expr_str(part) for part in kconfiglib.split_expr(symbol.direct_dep, kconfiglib.AND)
               if kconfiglib.expr_value(part) == 0]
    return " and ".join(missing)


def problems(kconf, path):
    """What the file asks for and Kconfig did not grant."""
    for number, name, value in assignments(path):
        symbol = kconf.syms.get(name)
        if symbol is None or not symbol.nodes:
            near = difflib.get_close_matches(name, [s.name for s in kconf.unique_defined_syms], 1)
            hint = f" Did you mean CONFIG_{near[0]}?" if near else ""
            yield f"{path}:{number}: there is no symbol CONFIG_{name}.{hint}"
            continue
        wanted = value.strip('"') if symbol.orig_type == kconfiglib.STRING else value
        if symbol.str_value == wanted:
            continue
        if missing := unmet(symbol):
            why = f"it depends on {missing}"
        elif symbol.orig_type in (kconfiglib.BOOL, kconfiglib.TRISTATE) and value not in ("n", "y"):
            why = "it is a yes/no symbol: write =y, or '# … is not set'"
        elif symbol.choice:
            why = "another option of the same choice is set"
        elif kconfiglib.expr_value(symbol.rev_dep):
            why = f"it is selected by {kconfiglib.expr_str(symbol.rev_dep)}"
        else:
            why = "its definition does not allow that here (a range, or no prompt)"
        yield f"{path}:{number}: CONFIG_{name}={value} was asked for, but it comes out as '{symbol.str_value}': {why}."


def make_quote(value):
    return value.replace("$", "$$").replace("#", "\\#")


def config_mk(kconf):
    lines = ["# Written by scripts/kconfig.py from .config."]
    packages = []
    for symbol in kconf.unique_defined_syms:
        value = symbol.str_value
        if symbol.orig_type in (kconfiglib.BOOL, kconfiglib.TRISTATE):
            if value == "n":  # empty, so that a variable of that name in the user's environment does not count
                lines.append(f"CONFIG_{symbol.name} :=")
                continue
            if symbol.name.startswith("PACKAGE_"):
                packages.append(symbol.name[len("PACKAGE_"):].lower().replace("_", "-"))
        lines.append(f"CONFIG_{symbol.name} := {make_quote(value)}")
    lines.append(f"CONFIG_PACKAGES := {' '.join(sorted(packages))}")
    return "\n".join(lines) + "\n"


def save(kconf):
    os.makedirs(OUT, exist_ok=True)
    kconf.write_config(CONFIG + ".tmp", "# Written by Kconfig: change it with 'make menuconfig', keep it with 'make savedefconfig'.\n")
    os.rename(CONFIG + ".tmp", CONFIG)
    write_if_changed(CONFIG_MK, config_mk(kconf))
    os.utime(CONFIG_MK)  # newer than .config even when its text stayed the same


def load(kconf, path):
    """Loads a file strictly: every problem is listed, and nothing has been written by then."""
    kconf.load_config(path)
    if found := list(problems(kconf, path)):
        fail(found[:20] + ["Nothing was changed. 'make menuconfig' shows every symbol and what it depends on."])


def defconfigs():
    return sorted(name for name in os.listdir("configs") if name.endswith("_defconfig"))


def defconfig(kconf, name):
    if name not in defconfigs():
        near = difflib.get_close_matches(name, defconfigs(), 1)
        fail([f"There is no configs/{name}." + (f" Did you mean {near[0]}?" if near else ""), "'make list-defconfigs' shows them all."])
    load(kconf, os.path.join("configs", name))
    save(kconf)
    print(f"  CONFIG  {name} -> {os.path.relpath(CONFIG)}")


def list_defconfigs():
    for name in defconfigs():
        with open(os.path.join("configs", name), encoding="utf-8") as text:
            print(f"  {name:32}{text.readline().lstrip('# ').strip()}")


def menuconfig(kconf):
    import menuconfig as menu
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        fail(["menuconfig needs a terminal. Without one, edit .config and run 'make olddefconfig'."])
    os.makedirs(OUT, exist_ok=True)
    os.environ["KCONFIG_CONFIG"] = CONFIG
    menu.menuconfig(kconf)
    if os.path.exists(CONFIG):
        kconf.load_config(CONFIG)
        save(kconf)


def ask_for_new_symbols(kconf):
    """kconfiglib's oldconfig, which keeps its rounds to its own main: until no answer brings up another question."""
    import oldconfig
    kconf.load_config(CONFIG)
    oldconfig.conf_changed = True
    while oldconfig.conf_changed:
        oldconfig.conf_changed = False
        for node in kconf.node_iter():
            oldconfig.oldconfig(node)


def main():
    goal, *rest = sys.argv[1:]
    if goal == "list-defconfigs":
        return list_defconfigs()
    try:
        kconf = kconfiglib.Kconfig("configs/Kconfig", warn=False)
    except kconfiglib.KconfigError as error:
        fail([str(error)])
    if goal == "defconfig":
        return defconfig(kconf, *rest)
    if goal == "menuconfig":
        return menuconfig(kconf)
    if not os.path.exists(CONFIG):
        fail([f"No configuration in {OUT}. Choose one with 'make <board>_defconfig'."])
    if goal == "check":
        load(kconf, CONFIG)
        save(kconf)
    elif goal == "olddefconfig":
        kconf.load_config(CONFIG)
        save(kconf)
    elif goal == "oldconfig":
        ask_for_new_symbols(kconf)
        save(kconf)
    elif goal == "savedefconfig":
        load(kconf, CONFIG)
        kconf.write_min_config(os.path.join(OUT, "defconfig"), "")
        print(f"  CONFIG  {os.path.relpath(os.path.join(OUT, 'defconfig'))}: copy it to configs/<board>_defconfig to keep it")
    else:
        fail([__doc__])


main()
