"""The log on a real kernel, with a collector on the host."""

import re
import socket

import pytest
from machine import Machine

MESSAGE = re.compile(r'<(\d+)>1 \S+ test (\S+) - - \[meta sequenceId="(\d+)" sysUpTime="(\d+)"\] (.*)', re.S)


class Collector:
    """A UDP socket, and what has come so far: priority, service, sequence, text."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(120)
        self.port = self.socket.getsockname()[1]
        self.messages = []

    def take(self):
        match = MESSAGE.fullmatch(self.socket.recv(4096).decode())
        assert match
        self.messages.append((int(match[1]), match[2], int(match[3]), match[5]))
        return self.messages[-1]

    def wait_for(self, service, pattern):
        while True:
            message = self.take()
            if message[1] == service and re.search(pattern, message[3]):
                return message

    def seen(self, service, pattern):
        return next((message for message in self.messages if message[1] == service and re.search(pattern, message[3])), None)

    def sequences(self):
        """The numbers so far, without holes. UDP has no order: what waits for the address of the next hop may be overtaken."""
        while len(self.messages) < max(message[2] for message in self.messages):
            self.take()
        return sorted(message[2] for message in self.messages)


@pytest.fixture(name="logged", scope="module")
def logged_machine(board, tmp_path_factory):
    collector = Collector()
    with Machine(board("test"), tmp_path_factory.mktemp("log"), netdev=",restrict=off",
                 cmdline=f"copal.log=udp://10.0.2.2:{collector.port} copal.console=info") as machine:
        # What is typed before the shell has opened its port is lost; once nomad is ready, it has.
        machine.open_shell()
        machine.wait_for(r"init: nomad: ready", 240)
        machine.collector = collector
        yield machine


def test_the_collector_gets_everything_from_the_first_line_on(logged):
    collector = logged.collector
    collector.wait_for("nomad", r".")
    sequences = collector.sequences()
    assert sequences == list(range(1, len(sequences) + 1))
    assert collector.seen("kernel", r"^Linux version")
    assert collector.seen("init", r"^boot ")[0] == 3 * 8 + 5
    assert collector.seen("init", r"^nomad: exec")
    assert collector.seen("log", r"^collector udp://10\.0\.2\.2:\d+: connected")


def test_what_it_writes_to_the_console_does_not_come_back(logged):
    logged.wait_for(r"\] nomad: ", 120)
    logged.shell("echo '<12>from a program' >/dev/kmsg; echo '<30>init: not quite' >/dev/kmsg; echo '<3>of the kernel' >/dev/kmsg")
    assert logged.collector.wait_for("kernel", r"^from a program")[0] == 4
    assert logged.collector.wait_for("init", r"^not quite")
    assert logged.collector.wait_for("kernel", r"^of the kernel")
    assert not [message for message in logged.collector.messages if message[1] == "kernel" and message[3].startswith("nomad: ")]


def test_it_has_a_user_of_its_own(logged):
    status, _ = logged.shell("cat /proc/$(cat /sys/fs/cgroup/services/log/cgroup.procs)/status")
    assert "Uid:\t100\t100\t100\t100" in status
    assert re.search(r"^CapEff:\t0+$", status, re.M)
    socket_mode, _ = logged.shell("stat -c '%a %u' /run/init/log")
    assert socket_mode.strip() == "600 0"
    memory = int(re.search(r"^RssAnon:\s+(\d+)", status, re.M)[1])
    assert memory < 1024, status


def test_it_comes_back_and_goes_on(logged):
    logged.shell("kill -KILL $(cat /sys/fs/cgroup/services/log/cgroup.procs)")
    message = logged.collector.wait_for("init", r"^log: ready")
    assert message[2] < 50, "the sequence begins again"
    logged.shell("echo '<4>after' >/dev/kmsg")
    logged.collector.wait_for("kernel", r"^after")


def test_the_last_lines_are_sent(logged):
    logged.shell_stream.write("kill -TERM 1\n")
    logged.shell_stream.flush()
    logged.collector.wait_for("init", r"^nomad: stopped")
    assert logged.wait_for_end(90) == 0
