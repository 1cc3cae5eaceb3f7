"""A machine in QEMU: its console as a stream to wait on, its monitor, a shell on a line of its own, its network ports."""

import contextlib
import functools
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import time


class Machine:
    """Boots the image in an output folder; use as a context manager, which ends it whatever happens."""

    def __init__(self, out, folder, cmdline="", netdev="", qemu=(), nic="user"):
        self.console = ""
        self.seen = 0
        self.monitor_path = os.path.join(folder, "qmp")
        self.shell_path = os.path.join(folder, "shell")
        self.shell_stream = None
        environment = os.environ | {"CMDLINE_EXTRA": cmdline, "NETDEV_EXTRA": netdev, "NIC": nic}
        self.log = open(os.path.join(folder, "console.log"), "w", encoding="utf-8")
        self.process = subprocess.Popen(
            ["scripts/run-qemu", out, "-serial", "stdio", "-device", "virtio-serial-pci", "-device", "virtconsole,chardev=shell",
             "-chardev", f"socket,id=shell,path={self.shell_path},server=on,wait=off",
             "-qmp", f"unix:{self.monitor_path},server=on,wait=off", *qemu],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def read(self, seconds):
        """Takes in what the console says within that time; False when it has ended."""
        if not self.selector.select(seconds):
            return True
        data = self.process.stdout.read()
        if not data:
            return data is None
        text = data.decode(errors="replace").replace("\r", "")
        self.console += text
        self.log.write(text)
        self.log.flush()
        return True

    def wait_for(self, pattern, seconds=120):
        """The match of a pattern in what the console says from the last match on."""
        deadline = time.monotonic() + seconds
        while True:
            match = re.compile(pattern, re.M).search(self.console, self.seen)
            if match:
                self.seen = match.end()
                return match
            alive = self.read(max(0.0, deadline - time.monotonic()))
            if not alive or time.monotonic() > deadline:
                why = "the machine ended" if not alive else f"{seconds} s went by"
                tail = "\n".join(self.console.splitlines()[-40:])
                raise AssertionError(f"{why} before the console said {pattern!r}. Its last lines:\n{tail}")

    def said(self, pattern, seconds=20):
        """Waits until the console has said it, at any time: what a service says comes by the log and may be overtaken by what init says."""
        seen, self.seen = self.seen, 0
        self.wait_for(pattern, seconds)
        self.seen = max(seen, self.seen)

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def open_shell(self):
        """Connects to the shell of tests/boot/overlay; before the machine is far enough to have one."""
        self.wait_for(r"Linux version", 60)  # QEMU made its sockets before it started the machine
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(120)
        connection.connect(self.shell_path)
        self.shell_stream = connection.makefile("rw", newline="\n")
        while self.shell_stream.readline().strip() != "here":
            pass

    def shell(self, command):
        """What a command prints, and its exit code."""
        self.shell_stream.write(f"{command}\necho done:$?\n")
        self.shell_stream.flush()
        lines = []
        while not (line := self.shell_stream.readline()).startswith("done:"):
            lines.append(line)
        return "".join(lines), int(line.removeprefix("done:"))

    def ask(self, command):
        """What a command typed to the shell on the console prints: development images have one."""
        self.type(f"{command}; echo do''ne:$?")
        begin = self.seen
        self.wait_for(r"^done:\d+$")
        return self.console[begin:self.seen]

    @contextlib.contextmanager
    def monitor_stream(self):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(180)
            connection.connect(self.monitor_path)
            stream = connection.makefile("rw")
            stream.readline()
            yield stream

    @staticmethod
    def tell(stream, command, **arguments):
        """What QEMU's monitor answers to a command. (Events, which have no such key, come in between.)"""
        stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        stream.flush()
        while not {"return", "error"} & (answer := json.loads(stream.readline())).keys():
            pass
        assert "error" not in answer, answer
        return answer["return"]

    def monitor(self, command, **arguments):
        with self.monitor_stream() as stream:
            self.tell(stream, "qmp_capabilities")
            return self.tell(stream, command, **arguments)

    def wait_for_event(self, name, cause):
        """QEMU's event of this name, which comes once `cause` has been called, with a function that tells the monitor."""
        with self.monitor_stream() as stream:
            self.tell(stream, "qmp_capabilities")
            cause(functools.partial(self.tell, stream))
            while (event := json.loads(stream.readline())).get("event") != name:
                pass
            return event

    def cut_power(self):
        """What is not on its disks then, never was."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def wait_for_end(self, seconds=60):
        """The exit code of QEMU; what the console said is in self.console."""
        deadline = time.monotonic() + seconds
        while self.read(max(0.0, deadline - time.monotonic())):
            if time.monotonic() > deadline:
                raise AssertionError(f"the machine still runs after {seconds} s:\n" + "\n".join(self.console.splitlines()[-40:]))
        return self.process.wait(timeout=10)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
