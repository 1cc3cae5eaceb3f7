#!/usr/bin/python3
"""Kconfig goals over kconfiglib, strict where kconfiglib only warns.

usage: kconfig.py GOAL [WORD]...        <board>_defconfig, check, menuconfig, oldconfig, olddefconfig, savedefconfig,
                                        update-defconfig, list-defconfigs
                                        (WORD: what else make was told, which may have been meant for a goal)

Reads configs/Kconfig. Writes $O/.config and $O/config.mk, the same values for Make (see config_mk). docs/configuration.md says more.
Environment: O; DEFCONFIG=<board>_defconfig for update-defconfig.
"""

import os
import sys


def explain(kind, error, trace):
    """What comes from outside is said in a line, without a traceback: Ctrl-C, a full disk, a reader that has gone."""
    if issubclass(kind, OSError):
        print(f"{error.filename or 'kconfig.py'}: {error.strerror}.", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python flushes what it could not write once more at its end
    elif not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = explain

try:  # after that, since they take most of the time: Ctrl-C comes now as well
    import contextlib
    import difflib
    import hashlib
    import re

    import kconfiglib
except ImportError:
    sys.exit("kconfiglib is missing. Run 'make setup' (Debian: python3-kconfiglib; elsewhere: pip install kconfiglib).")

# Whoever works on the kernel may have set these, which kconfiglib obeys: they are about another tree.
for variable in ("srctree", "CONFIG_", "KCONFIG_CONFIG", "KCONFIG_CONFIG_HEADER"):
    os.environ.pop(variable, None)

OUT = os.environ.get("O", "output")
CONFIG = os.path.join(OUT, ".config")
CONFIG_MK = os.path.join(OUT, "config.mk")
HEADER = "# Written by Kconfig: change it with 'make menuconfig', keep it with 'make update-defconfig'.\n"
ORIGIN = "# It began as configs/"

ASSIGNMENT = re.compile(r"CONFIG_(\w+)=(.*)")
UNSET = re.compile(r"# CONFIG_(\w+) is not set(.*)")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(.*)')
INT = re.compile(r"-?(0|[1-9][0-9]*)")
HEX = re.compile(r"0[xX][0-9a-fA-F]+")
NAME = re.compile(r"[\w.-]+", re.ASCII)
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?")
LIMIT = 20  # faults on one screen

BOOLS = (kconfiglib.BOOL, kconfiglib.TRISTATE)


def fail(lines):
    sys.exit("\n".join(lines))


def more(faults):
    return [f"… and {len(faults) - LIMIT} more."] if len(faults) > LIMIT else []


def fail_with(faults, end):
    fail([*faults[:LIMIT], *more(faults), end])


def say(text):
    """Says what was done. Whoever listened may have gone, as in `make list-defconfigs | head -1`: it was done all the same."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def suggestion(word, words, form="{}", likeness=0.6):
    near = difflib.get_close_matches(word, words, 1, likeness)
    return f" Did you mean {form.format(near[0])}?" if near else ""


@contextlib.contextmanager
def replaced(path):
    """The name of a file to write, which takes the place of path once all of it is on the disk. No two processes have the same one."""
    temporary = f"{path}.{os.urandom(4).hex()}.tmp"
    try:
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.rename(temporary, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def claim_output():
    """Makes the output folder, and the mark in it by which `make clean` knows that it is ours: a file with the checkout's path. A folder
    with something of the user's in it is none, nor is another checkout's, as long as that is there."""
    mark, here = os.path.join(OUT, ".copal-output"), os.getcwd()
    os.makedirs(OUT, exist_ok=True)
    # Listed before the mark is looked for: another make that begins here writes nothing but the mark until that is there.
    foreign = sorted(name for name in os.listdir(OUT) if name != ".config" and not name.startswith(".copal-output"))
    if os.path.exists(mark):
        with open(mark, encoding="utf-8") as text:
            owner = text.readline().strip()
        if owner == here:
            return
        if os.path.exists(f"{owner}/scripts/kconfig.py"):
            fail([f"O={OUT} belongs to the checkout {owner}. Nothing was changed.", "Choose another folder with O=."])
    elif foreign:
        fail([f"O={OUT} is no output folder of Copal, and not empty (it has {foreign[0]}). Nothing was changed.",
              "Choose another folder with O=; it is made if it is not there."])
    with replaced(mark) as temporary, open(temporary, "w", encoding="utf-8") as text:
        text.write(f"{here}\nThe checkout that generates what is here, and removes it: make clean, make distclean.\n")


def lines_of(path):
    """Yields (number, line) of a configuration."""
    with open(path, "rb") as text:
        for number, line in enumerate(text, 1):
            try:
                yield number, line.decode().rstrip()
            except UnicodeDecodeError as error:
                fail([f"{path}:{number}: not UTF-8 (byte 0x{line[error.start]:02x}). Write the line anew, or save the file as UTF-8."])


class Fault(Exception):
    """What is wrong with a line, and what to write instead."""


def assignment(line):
    """(name, text) of a line, where no text is 'not set'; nothing of a comment; whatever is neither is a fault."""
    if match := UNSET.match(line):
        if match[2]:
            raise Fault(f"{line}: more text after 'is not set'. A remark has a line of its own.")
        return match[1], None
    comment = not line or line.startswith("#")
    if "\r" in line or not (comment or line.isprintable()):  # kconfiglib takes what follows \r for a line
        raise Fault(f"{line!r} has a character that cannot be seen. A value has neither tabs nor other control characters.")
    if comment:
        return None
    if match := ASSIGNMENT.fullmatch(line):
        return match.groups()
    raise Fault(f"not an assignment: {line}. Write CONFIG_NAME=value or '# CONFIG_NAME is not set', in the first column and without "
                "blanks around the =.")


def name_in(line):
    match = UNSET.match(line) or ASSIGNMENT.match(line)
    return match and match[1]


def quoted(text):
    return f'"{kconfiglib.escape(text)}"'


def meant_yes_or_no(name, text):
    if text in ("y", "n"):
        return text
    bare = text.strip("\"'").lower()
    yes, no = f"{name}=y", f"'# {name} is not set'"
    write = {"y": yes, "yes": yes, "true": yes, "1": yes, "n": no, "no": no, "false": no, "0": no}.get(bare, f"{yes} or {no}")
    raise Fault(f"{name}={text}: it is a yes/no symbol{', and there are no modules' if bare == 'm' else ''}. Write {write}.")


def meant_number(name, text, form, what, plain):
    if form.fullmatch(text):
        return text
    bare = plain(text.strip("\"' "))
    raise Fault(f"{name}={text}: it is {what}." + (f" Write {name}={bare}." if form.fullmatch(bare) else ""))


def meant_text(name, text):
    match = STRING.fullmatch(text)
    if not match and text.startswith('"'):
        raise Fault(f'{name}={text}: the quote at the end is missing. Within a text, \\" is a quote and \\\\ is a backslash.')
    if not match:
        bare = text[:-1] if text.endswith('"') else re.sub(r"^'(.*)'$", r"\1", text)
        raise Fault(f"{name}={text}: a text has quotes. Write {name}={quoted(bare)}.")
    if match[2]:
        raise Fault(f'{name}={text}: more text after the closing quote. Within a text, \\" is a quote; a remark has a line of its own.')
    return kconfiglib.unescape(match[1])


def meant(symbol, text):
    """The value that the text right of the = stands for; what does not fit the symbol's type is a fault."""
    name = f"CONFIG_{symbol.name}"
    if text is None:
        if symbol.orig_type in BOOLS:
            return "n"
        value = quoted(symbol.str_value) if symbol.orig_type == kconfiglib.STRING else symbol.str_value
        raise Fault(f"only a yes/no symbol can be 'not set'. Write {name}={value}.")
    if symbol.orig_type in BOOLS:
        return meant_yes_or_no(name, text)
    if symbol.orig_type == kconfiglib.INT:
        return meant_number(name, text, INT, "a whole number", lambda bare: re.sub(r"^\+?(-?)0*(?=[0-9])", r"\1", bare))
    if symbol.orig_type == kconfiglib.HEX:
        return meant_number(name, text, HEX, "a hexadecimal number, with 0x", lambda bare: "0x" + re.sub("^0[xX]", "", bare))
    return meant_text(name, text)


def unmet(conditions):
    """What does not hold now of conditions any of which would do, in Kconfig's words."""
    return " or ".join(
        " and ".join(kconfiglib.expr_str(part) for part in kconfiglib.split_expr(condition, kconfiglib.AND)
                     if kconfiglib.expr_value(part) == 0)
        for condition in conditions)


def bound(symbol):
    """The end of a range; where it is another symbol's value, that is what to look at."""
    return f"{symbol.str_value} (CONFIG_{symbol.name})" if symbol.nodes else symbol.str_value


def selected_by(symbol):
    return " and by ".join(kconfiglib.expr_str(select) for select in kconfiglib.split_expr(symbol.rev_dep, kconfiglib.OR)
                           if kconfiglib.expr_value(select))


def why_not(symbol, wanted):
    """Why a symbol did not get the value that was asked for."""
    item = symbol.choice if symbol.choice and not symbol.choice.visibility else symbol
    prompts = [node.prompt[1] for node in item.nodes if node.prompt]
    ranges = [limits for *limits, condition in symbol.ranges if kconfiglib.expr_value(condition)]
    if wanted == "n" and (selects := selected_by(symbol)):
        return f"it is selected by {selects}"
    if not prompts:
        return "it follows from other symbols. Delete the line"
    if not item.visibility:
        return f"it depends on {unmet(prompts)}"
    if ranges:
        return f"its range is {bound(ranges[0][0])} to {bound(ranges[0][1])}"
    if symbol.choice and wanted == "y":
        return f"of the same choice, CONFIG_{symbol.choice.selection.name} is set"
    if symbol.choice:
        return f"one of its choice has to be set: {', '.join(f'CONFIG_{other.name}' for other in symbol.choice.syms)}"
    return "its definition does not allow that here"


def wrong_board(name):
    boards = [entry.name for entry in os.scandir("board") if entry.is_dir()] if os.path.isdir("board") else []
    if not name or name in boards and NAME.fullmatch(name):
        return None
    return f"there is no folder board/{name}.{suggestion(name, boards)} A machine that needs nothing of its own has no board: \"\"."


def wrong_overlay(folders):
    missing = [folder for folder in folders.split() if not os.path.isdir(folder)]
    return f"there is no folder {' and no '.join(missing)}. Folders are named from the top of the checkout." if missing else None


def wrong_host(name):
    return None if HOST.fullmatch(name) else "it is no host name: up to 64 letters, digits, - and ., with a letter or digit at both ends."


# Texts of which not any will do.
TEXTS = {"BOARD": wrong_board, "HOSTNAME": wrong_host, "IMAGE_OVERLAY": wrong_overlay}


class Config(kconfiglib.Kconfig):
    """Says what is wrong with a file, and leaves no half ones."""

    def __init__(self):
        super().__init__("configs/Kconfig", warn=False)
        self.origin = None  # the defconfig that the configuration began with
        self.places = {}  # file:line of the symbols that the file assigns
        self.written = 0  # the time of .config, in ns

    def read(self, path):
        """Loads a file and returns what is wrong with its lines."""
        lines = list(lines_of(path))
        self.load_config(path)
        self.origin, self.places = None, {}
        faults, assigned = {}, {}
        for number, line in lines:
            place = f"{path}:{number}"
            if line.startswith(ORIGIN):
                self.origin = line.removeprefix(ORIGIN)
            try:
                name, text = assignment(line) or (None, None)
                if not name:
                    continue
                symbol = self.syms.get(name)
                if symbol is None or not symbol.nodes:
                    near = suggestion(name, [symbol.name for symbol in self.unique_defined_syms], "CONFIG_{}")
                    raise Fault(f"there is no symbol CONFIG_{name}.{near}")
                wanted = meant(symbol, text)
                before = assigned.get(name)
                self.places[name], assigned[name] = place, (number, wanted, line)
                if before and before[1] != wanted:
                    raise Fault(f"{line}: line {before[0]} says {before[2]}. Keep one of them.")
            except Fault as fault:
                faults[number] = f"{place}: {fault}"
        for name, (number, wanted, line) in assigned.items():
            symbol = self.syms[name]
            if symbol.str_value != wanted:
                faults.setdefault(number, f"{path}:{number}: {line} was asked for, but it comes out as '{symbol.str_value}': "
                                          f"{why_not(symbol, wanted)}.")
        return [faults[number] for number in sorted(faults)]

    def misfits(self):
        """What is wrong with values that fit their types, wherever they come from."""
        for symbol in self.unique_defined_syms:
            value, node = symbol.str_value, symbol.nodes[0]
            shown = quoted(value) if symbol.orig_type == kconfiglib.STRING else value
            place = f"{self.places.get(symbol.name, f'{node.filename}:{node.linenr}')}: CONFIG_{symbol.name}={shown}:"
            if not value.isprintable():
                yield f"{place} a character that cannot be seen. A value has neither tabs nor other control characters."
            elif symbol.orig_type in (kconfiglib.INT, kconfiglib.HEX) and not value:
                yield f"{place} a number has neither a default nor a value. Give it one."
            elif symbol.orig_type in BOOLS and symbol.tri_value > kconfiglib.expr_value(symbol.direct_dep):
                yield f"{place} it is selected by {selected_by(symbol)}, but depends on {unmet([symbol.direct_dep])}."
            elif wrong := symbol.name in TEXTS and TEXTS[symbol.name](value):
                yield f"{place} {wrong}"

    def load(self, path, end):
        """Loads a file strictly. Nothing has been written by then."""
        if faults := [*self.read(path), *self.misfits()]:
            fail_with(faults, end)

    def load_leniently(self):
        """For the goals that adapt an old .config: what does not count any more is only said."""
        if faults := self.read(CONFIG):
            print(*faults[:LIMIT], *more(faults), "What these lines ask for does not count.", sep="\n", file=sys.stderr)

    def write_config(self, filename=None, header=None, save_old=False):
        """Called by the library's menuconfig too."""
        header = HEADER + (f"{ORIGIN}{self.origin}\n" if self.origin else "")
        with replaced(filename) as temporary:
            super().write_config(temporary, header, save_old)
            self.written = os.stat(temporary).st_mtime_ns
        return f"Configuration saved to '{filename}'"

    def write_min_config(self, filename, header=None):
        """With the comments of the defconfig that it replaces, or else of the one that the configuration began with."""
        old = filename if filename.endswith("_defconfig") and os.path.exists(filename) else os.path.join("configs", self.origin or "")
        comments = comments_of(old) if os.path.isfile(old) else {}
        with replaced(filename) as temporary:
            super().write_min_config(temporary, "")
            with open(temporary, encoding="utf-8") as text:
                lines = [line.rstrip("\n") for line in text]
            blocks = [comments.get("", [f"# {os.path.basename(filename)}"])]
            blocks += [[*comments.get(name_in(line), []), line] for line in lines]
            with open(temporary, "w", encoding="utf-8") as text:
                text.writelines(f"{line}\n" for block in [*blocks, comments.get(None, [])] for line in block)
        return f"Minimal configuration saved to '{filename}'"

    def save(self):
        if faults := list(self.misfits()):
            fail_with(faults, "Nothing was changed.")
        claim_output()
        self.write_config(CONFIG)
        with replaced(CONFIG_MK) as temporary:
            with open(temporary, "w", encoding="utf-8") as text:
                text.write(f"config-of := {made_of()}\n{config_mk(self)}")
            # As young as the youngest of what it was made from, so that Make does not begin again and again where a file's time is in
            # the future; and of another time than before, or Make would not see that it is a new one.
            time = max(self.written, *(os.stat(path).st_mtime_ns for path in (*self.kconfig_filenames, __file__)))
            if os.path.exists(CONFIG_MK) and os.stat(CONFIG_MK).st_mtime_ns == time:
                time += 1
            os.utime(temporary, ns=(time, time))


def made_of():
    """The hash of .config, by which Make knows one that was put back with its old time."""
    with open(CONFIG, "rb") as data:
        return hashlib.sha256(data.read()).hexdigest()


def comments_of(path):
    """The comments of a defconfig: at "" those of its head, at a symbol's name those above it, at None those of its end."""
    comments, block = {}, []
    for _, line in lines_of(path):
        if name := name_in(line):
            comments[name if comments else ""], block = block, []
        elif line:
            block.append(line)
    comments[None if comments else ""] = block
    return comments


def make_quote(value):
    r"""Writes a value so that Make, reading `NAME := value`, gets it as it is:

        $$   stands for $
        \#   stands for #; backslashes right before it are doubled. Anywhere else a backslash is a backslash
        $()  stands for nothing. It is before a first blank, after a last blank, and after a backslash at the end

    There are no control characters: they are refused before.
    """
    value = re.sub(r"(\\*)#", r"\1\1\\#", value.replace("$", "$$"))
    return ("$()" if value.startswith(" ") else "") + value + ("$()" if value.endswith((" ", "\\")) else "")


def config_mk(kconf):
    """One line `CONFIG_NAME := value` for each symbol, in make_quote's form. A yes/no symbol that is not set is empty, so that a
    variable of that name in the user's environment does not count. CONFIG_PACKAGES has the names behind the PACKAGE_* symbols."""
    lines = ["# Written by scripts/kconfig.py from .config. How values are quoted is said there, at make_quote."]
    packages = []
    for symbol in kconf.unique_defined_syms:
        value = symbol.str_value
        if symbol.orig_type in BOOLS:
            if value == "n":
                value = ""
            elif symbol.name.startswith("PACKAGE_"):
                packages.append(symbol.name.removeprefix("PACKAGE_").lower().replace("_", "-"))
        lines.append(f"CONFIG_{symbol.name} := {make_quote(value)}".rstrip())
    lines.append(f"CONFIG_PACKAGES := {' '.join(sorted(packages))}".rstrip())
    return "\n".join(lines) + "\n"


def defconfigs():
    paths = {name: os.path.join("configs", name) for name in os.listdir("configs") if name.endswith("_defconfig")}
    # Neither an editor's lock, which is a link to nowhere, nor a folder.
    return sorted(name for name, path in paths.items() if os.path.exists(path) and not os.path.isdir(path))


def list_defconfigs():
    lines = []
    for name in defconfigs():
        with open(os.path.join("configs", name), encoding="utf-8", errors="replace") as text:
            lines.append(f"  {name:32}{text.readline().lstrip('# ').strip()}")
    say("\n".join(lines))


def defconfig(kconf, name):
    kconf.load(os.path.join("configs", name), "Nothing was changed. 'make menuconfig' shows every symbol and what it depends on.")
    kconf.origin = name
    kconf.save()
    say(f"  CONFIG  {name} -> {os.path.relpath(CONFIG)}")


def check(kconf):
    kconf.load(CONFIG, "Nothing was changed. Correct .config, or let 'make olddefconfig' drop what does not count.")
    kconf.save()


def olddefconfig(kconf):
    kconf.load_leniently()
    kconf.save()


def oldconfig(kconf):
    """kconfiglib's oldconfig, which keeps its rounds to its own main: until no answer brings up another question."""
    import oldconfig as library
    kconf.load_leniently()
    kconf.warn = True  # of answers out of range
    library.conf_changed = True
    try:
        while library.conf_changed:
            library.conf_changed = False
            for node in kconf.node_iter():
                library.oldconfig(node)
    except EOFError:
        fail(["", "There are new symbols, and nobody answers. Nothing was changed; 'make olddefconfig' takes the defaults."])
    kconf.save()


def menuconfig(kconf):
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        fail(["menuconfig needs a terminal. Without one, edit .config and run 'make olddefconfig'."])
    import curses
    import locale

    import menuconfig as library
    library_key = library._getch_compat

    def key(window):
        """The library takes the end of its input for a key that it does not know, and reads on."""
        pressed = library_key(window)
        if pressed == -1 and not os.isatty(sys.stdin.fileno()):
            raise EOFError
        return pressed

    library._getch_compat = key
    try:
        locale.setlocale(locale.LC_ALL, "")
    except locale.Error:  # of another machine, by way of ssh
        os.environ["LC_ALL"] = "C.UTF-8"
    claim_output()
    if os.path.exists(CONFIG):
        kconf.load_leniently()
    os.environ["KCONFIG_CONFIG"] = CONFIG
    try:
        library.menuconfig(kconf)
    except (EOFError, curses.error) as error:
        if not os.isatty(sys.stdin.fileno()):
            fail(["menuconfig: the terminal has gone. What was not saved is lost."])
        fail([f"menuconfig cannot draw on this terminal (TERM={os.environ.get('TERM', '')}): {error}. Try TERM=vt100."])
    if os.path.exists(CONFIG):
        check(kconf)


def savedefconfig(kconf):
    kconf.load(CONFIG, "Nothing was written. Correct .config, or let 'make olddefconfig' drop what does not count.")
    path = os.path.join(OUT, "defconfig")
    kconf.write_min_config(path)
    say(f"  CONFIG  {os.path.relpath(path)}: 'make update-defconfig' puts the same into configs/")


def update_defconfig(kconf):
    kconf.load(CONFIG, "Nothing was written. Correct .config, or let 'make olddefconfig' drop what does not count.")
    name = os.environ.get("DEFCONFIG") or kconf.origin
    if not name:
        fail(["Which defconfig this configuration began with is not known. Say it: make update-defconfig DEFCONFIG=<board>_defconfig"])
    name = name.removesuffix("_defconfig") + "_defconfig"
    if not NAME.fullmatch(name):
        fail([f"'{name}' is no name for a file in configs/. Write DEFCONFIG=<board>_defconfig."])
    new = name not in defconfigs()
    if new and not os.environ.get("DEFCONFIG"):
        fail([f"This configuration began with configs/{name}, which is not there any more.",
              "Say where it goes: make update-defconfig DEFCONFIG=<board>_defconfig"])
    kconf.write_min_config(os.path.join("configs", name))
    kconf.origin = name
    kconf.save()
    say(f"  CONFIG  configs/{name}" + (" is new: its first line is to say what it builds" if new else ""))


GOALS = {"check": check, "menuconfig": menuconfig, "oldconfig": oldconfig, "olddefconfig": olddefconfig, "savedefconfig": savedefconfig,
         "update-defconfig": update_defconfig}


def goals():
    return [*defconfigs(), "list-defconfigs", *(goal for goal in GOALS if goal != "check")]


def no_configuration(words):
    meant = "".join(suggestion(word, goals(), "'make {}'", 0.7) for word in words)
    fail([f"No configuration in {OUT}.{meant} Choose one with 'make <board>_defconfig'; 'make list-defconfigs' shows them."])


def unknown(goal):
    if re.fullmatch(r"[a-z]config", goal):
        fail([f"There is no {goal}: menuconfig is what there is."])
    what = f"configs/{goal}" if goal.endswith("_defconfig") else f"goal '{goal}'"
    fail([f"There is no {what}.{suggestion(goal, goals())}",
          "'make list-defconfigs' shows the boards, 'make help' the goals."])


def main():
    if len(sys.argv) < 2:
        fail([__doc__.strip()])
    goal, *words = sys.argv[1:]
    sys.stdout.reconfigure(errors="backslashreplace")
    if goal == "list-defconfigs":
        return list_defconfigs()
    if goal not in GOALS and goal not in defconfigs():
        unknown(goal)
    try:
        kconf = Config()
    except kconfiglib.KconfigError as error:
        fail([str(error).strip()])
    if goal not in GOALS:
        return defconfig(kconf, goal)
    if goal != "menuconfig" and not os.path.exists(CONFIG):
        no_configuration(words)
    return GOALS[goal](kconf)


main()
