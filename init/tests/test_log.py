"""The log: `init --log` alone with real pipes, sockets and collectors, and under init as PID 1.
Under Meson, or: INIT=build/init pytest init/tests/test_log.py"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pid1 import Pid1, main

LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S+) (\w+): (.*)\n")
MESSAGE = re.compile(r'<(\d+)>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S+) (\S+) - - '
                     r'\[meta sequenceId="(\d+)" sysUpTime="(\d+)"\] (.*)', re.S)
LOG = "-f '^/proc/self/exe --log'"  # for pkill, and not the shell that runs it
LEFT_OUT = re.compile(r"\((\d+) lines left out\)")


class Client:
    """A client of the log's socket. Every read has a time limit."""

    def __init__(self, path, request):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(path))
        with contextlib.suppress(BrokenPipeError):  # it may have been refused by now, and will read why
            self.socket.sendall(request.encode() + b"\n")
        self.stream = self.socket.makefile("r", newline="\n", errors="strict")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()

    def line(self):
        """Service, level and text."""
        line = self.stream.readline()
        match = LINE.fullmatch(line)
        assert match, line
        return match.groups()[1:]

    def text(self):
        return self.line()[2]


class Log:
    """`init --log`, with pipes in the place of services and a socket in that of /dev/kmsg."""

    def __init__(self, *services, words=()):
        self._dir = tempfile.TemporaryDirectory(prefix="log-")
        self.path = Path(self._dir.name) / "socket"
        self.console_path = Path(self._dir.name) / "console"
        self.pipes = {}
        self.services = services
        self.words = words
        self._inner = []
        for _ in services:
            read, write = os.pipe()
            self._inner.append(read)
            self.pipes[services[len(self._inner) - 1].partition(":")[0]] = write
        self.kernel, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        kernel.setblocking(False)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(16)
        self._listener.setblocking(False)
        self._kernel = kernel
        self.start()

    def start(self, first=None):
        fds = [*self._inner, self._kernel.fileno(), self._listener.fileno()]
        arguments = [f"{fd}:{name}" for fd, name in
                     zip(fds, [*self.services, "@kernel", "@clients"])]
        with self.console_path.open("ab") as console:
            self.process = subprocess.Popen([os.environ["INIT"], "--log", *arguments, *self.words],
                                            stdin=subprocess.DEVNULL, stdout=console, pass_fds=fds, preexec_fn=first)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for fd in [*self._inner, *self.pipes.values()]:
            os.close(fd)
        for end in (self.kernel, self._kernel, self._listener):
            end.close()
        self._dir.cleanup()

    def say(self, name, text):
        data = text if isinstance(text, bytes) else text.encode()
        while data:
            data = data[os.write(self.pipes[name], data):]

    def client(self, request=""):
        return Client(self.path, request)

    def console(self):
        return self.console_path.read_text().splitlines()

    def anonymous(self):
        """The memory that is its own, in kB."""
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Anonymous:\s+(\d+)", text, re.M)[1])

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(10) == 0


def receive(udp):
    """The fields of one RFC 5424 message: priority, host, service, sequence, text."""
    match = MESSAGE.fullmatch(udp.recv(4096).decode())
    assert match
    return int(match[1]), match[3], match[4], int(match[5]), match[7]


def udp_collector(family=socket.AF_INET, host="127.0.0.1", port=0):
    udp = socket.socket(family, socket.SOCK_DGRAM)
    udp.bind((host, port))
    udp.settimeout(20)
    return udp


class Tcp:
    """The other end of a collector's connection: RFC 6587 frames."""

    def __init__(self, server):
        server.settimeout(30)
        self.socket, _ = server.accept()
        self.socket.settimeout(20)
        self.stream = self.socket.makefile("rb")

    def receive(self):
        count = b""
        while (byte := self.stream.read(1)) != b" ":
            assert byte.isdigit(), (count, byte)
            count += byte
        match = MESSAGE.fullmatch(self.stream.read(int(count)).decode())
        assert match
        return int(match[1]), match[3], match[4], int(match[5]), match[7]

    def close(self):
        self.stream.close()
        self.socket.close()


# ---- What goes in

def test_levels_and_harmless_text():
    with Log("web") as log, log.client("follow") as client:
        log.say("web", b"plain\n<3>bad\n\n<7>\x1b[31mred\xff\ttab\ngr\xc3\xbc\xc3\x9fe\n")
        assert [client.line() for _ in range(4)] == [
            ("web", "info", "plain"), ("web", "err", "bad"),
            ("web", "debug", " [31mred? tab"),
            ("web", "info", "grüße")]


def test_overlong_line_is_cut():
    with Log("web") as log, log.client("follow") as client:
        log.say("web", "x" * 5000 + "\nnext\n")
        text = client.text()
        assert len(text) == 1800 and text == "x" * 1797 + "..."
        assert client.text() == "next"


def test_line_in_pieces():
    with Log("web") as log, log.client("follow") as client:
        for piece in ("<4>he", "l", "lo\nwor", "ld\n"):
            log.say("web", piece)
            time.sleep(0.02)
        assert client.line() == ("web", "warning", "hello")
        assert client.line() == ("web", "info", "world")


def test_flood_is_limited_and_counted():
    with Log("flood", "calm", "slow:10") as log, log.client("follow") as client:
        count = 20000
        log.say("flood", "".join(f"{n}\n" for n in range(count)))
        log.say("calm", "still here\n")
        log.say("slow", "x\n" * 100)
        kept = {"flood": 0, "slow": 0}
        left_out = {}
        calm = False
        while len(left_out) < 2:
            service, level, text = client.line()
            match = LEFT_OUT.fullmatch(text)
            if match:
                assert level == "warning"
                left_out[service] = int(match[1])
            elif service == "calm":
                calm = True
            else:
                kept[service] += 1
        assert calm
        assert kept["flood"] + left_out["flood"] == count
        assert 5000 <= kept["flood"] < 10000
        assert kept["slow"] == 50 and left_out["slow"] == 50


def test_flood_does_not_push_out_others():
    with Log("flood:1000000", "calm") as log:
        log.say("calm", "rare\n")
        for _ in range(40):
            log.say("flood", ("x" * 99 + "\n") * 1000)
        with log.client("lines=1 flood") as client:
            client.text()
        with log.client("calm") as client:
            assert client.text() == "rare"
        with log.client("flood") as client:
            held = sum(len(line) for line in client.stream)
        assert 150_000 < held < 400_000  # of 4 MB


def test_kernel_and_init():
    with Log() as log, log.client("follow") as client:
        log.kernel.send(b"6,10,1000000,-;Linux version 6.12\n SUBSYSTEM=x\n")
        log.kernel.send(b"29,11,2000000,-;init: boot 2.000s\n")
        log.kernel.send(b"46,12,2000001,-;web: was written by the log itself\n")
        log.kernel.send(b"not a record")
        log.kernel.send(b"4,13,2000002,-;odd\x1b\n")
        log.kernel.send(b"4,20,2000003,-;after a gap\n")
        assert [client.line() for _ in range(5)] == [
            ("kernel", "info", "Linux version 6.12"), ("init", "notice", "boot 2.000s"),
            ("kernel", "warning", "odd "), ("kernel", "warning", "(6 lines left out)"),
            ("kernel", "warning", "after a gap")]


def test_console_by_level():
    with Log("web") as log, log.client("follow") as client:
        log.say("web", "<6>no\n<4>yes\n<3>yes too\n")
        log.kernel.send(b"3,1,1,-;is there already\n")
        while client.line() != ("kernel", "err", "is there already"):
            pass
        assert log.console() == ["<44>web: yes", "<43>web: yes too"]
    with Log("web", words=["copal.console=info"]) as log, log.client("follow") as client:
        log.say("web", "<7>no\n<6>yes " + "y" * 1500 + "\n")
        assert client.text() == "no"
        client.text()
        assert log.console() == ["<46>web: yes " + "y" * 896]
    with Log("web", words=["copal.console=loud"]) as log, log.client("follow") as client:
        assert client.text() == "copal.console=loud: no such level"


def test_console_is_limited():
    with Log("web") as log, log.client("follow") as client:
        log.say("web", "<4>line\n" * 1000)
        for _ in range(1000):
            assert client.text() == "line"
        assert len(log.console()) == 100
        log.say("web", "<4>soon\n")
        end = time.monotonic() + 10
        while log.console()[-1] != "<44>web: (901 lines left out)":
            assert time.monotonic() < end, log.console()[-1]
            time.sleep(0.01)
        assert len(log.console()) == 101


# ---- Clients

def test_requests():
    with Log("web", "db") as log:
        with log.client("follow") as client:
            for n in range(10):
                log.say("web", f"w{n}\n")
                assert client.text() == f"w{n}"
                log.say("db", f"d{n}\n")
                assert client.text() == f"d{n}"

        def ask(request):
            with log.client(request) as client:
                return [line.partition(": ")[2].strip() for line in client.stream]
        assert ask("lines=3") == ["d8", "w9", "d9"]
        assert ask("web lines=2") == ["w8", "w9"]
        assert ask("") == [f"{c}{n}" for n in range(10) for c in "wd"]
        assert ask("db") == [f"d{n}" for n in range(10)]
        assert ask("lines=0") == []
        assert ask("nobody") == ["there is no service of this name"]
        assert ask("lines=x") == ["ask for [NAME] [lines=N] [follow]"]
        with socket.socket(socket.AF_UNIX) as endless:
            endless.connect(str(log.path))
            endless.sendall(b"x" * 2048)
            assert endless.recv(100) == b"log: there is no service of this name\n"
        with log.client("web lines=1 follow") as client:
            assert client.text() == "w9"
            log.say("db", "not this\n")
            log.say("web", "this\n")
            assert client.text() == "this"


def test_eight_clients_and_silent_ones():
    with Log("web") as log:
        silent = [socket.socket(socket.AF_UNIX) for _ in range(7)]
        for one in silent:
            one.connect(str(log.path))
        with log.client("follow") as client:
            log.say("web", "hello\n")
            assert client.text() == "hello"
            with log.client() as ninth:
                assert ninth.stream.readline() == "log: there are 8 clients already\n"
            silent[0].close()
            with log.client("follow") as next_one:
                assert next_one.text() == "hello"
            silent[1].sendall(b"we")
            silent[1].close()
            log.say("web", "on\n")
            assert client.text() == "on"
        for one in silent:
            one.close()


def test_slow_client_delays_nobody_and_learns_what_it_missed():
    names = [f"s{n}" for n in range(4)]
    with Log(*[f"{name}:1000000" for name in names]) as log:
        with log.client("follow") as slow:
            begin = time.monotonic()
            count = 20000
            for n in range(count // 1000):
                for name in names:
                    log.say(name, "".join(f"{n * 1000 + m:060}\n" for m in range(1000)))
            for name in names:
                log.say(name, "end\n")
                with log.client(f"lines=1 {name} follow") as quick:
                    while quick.text() != "end":
                        pass
            print(f"# {count * len(names)} lines in {time.monotonic() - begin:.2f} s")
            seen = missed = ends = 0
            while ends < len(names):
                service, _, text = slow.line()
                match = LEFT_OUT.fullmatch(text)
                if text == "end":
                    ends += 1
                elif match:
                    assert service == "log"
                    missed += int(match[1])
                else:
                    seen += 1
        assert missed > 0
        assert seen + missed == count * len(names)


def test_memory_is_taken_when_used():
    names = [f"s{n}" for n in range(100)]
    with Log(*[f"{name}:1000000" for name in names]) as log:
        with log.client("follow") as client:
            log.say("s0", "hello\n")
            assert client.text() == "hello"
            idle = log.anonymous()
        for name in names:
            for _ in range(4):
                log.say(name, ("x" * 99 + "\n") * 1000)
        with log.client("lines=1") as client:
            client.text()
        full = log.anonymous()
        print(f"# idle {idle} kB, full {full} kB")
        if idle < 2000:  # otherwise it is AddressSanitizer's
            assert idle < 600
            assert 15_000 < full - idle < 17_500


# ---- The collector

def test_udp_collector_gets_all_from_the_beginning():
    for family, host, url in ((socket.AF_INET, "127.0.0.1", "127.0.0.1"),
                              (socket.AF_INET6, "::1", "[::1]")):
        udp = udp_collector(family, host)
        with Log("web", words=[f"copal.log=udp://{url}:{udp.getsockname()[1]}"]) as log:
            log.say("web", "<3>one\n")
            log.kernel.send(b"5,1,1500000,-;Linux\n")
            got = [receive(udp) for _ in range(3)]
            assert [message[3] for message in got] == [1, 2, 3]
            assert {message[1] for message in got} == {socket.gethostname()}
            texts = {(priority, service, text) for priority, _, service, _, text in got}
            assert (27, "web", "one") in texts
            assert (5, "kernel", "Linux") in texts
            assert any(service == "log" and "connected" in text for _, service, text in texts)
        udp.close()


def test_tcp_collector_comes_late_goes_and_comes_back():
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    server.close()
    with Log("web", words=[f"copal.log=tcp://127.0.0.1:{port}"]) as log:
        log.say("web", "before\n")
        with log.client("log follow") as client:
            assert client.text() == f"collector tcp://127.0.0.1:{port}: Connection refused"
        server = socket.create_server(("127.0.0.1", port))
        tcp = Tcp(server)
        texts = [tcp.receive()[4] for _ in range(3)]
        assert "before" in texts
        tcp.close()
        begin = time.monotonic()
        tcp = Tcp(server)
        waited = time.monotonic() - begin
        assert 0.9 < waited < 10, waited
        log.say("web", "after\n")
        while tcp.receive()[4] != "after":
            pass
        tcp.close()
        server.close()


def test_tcp_over_ipv6_and_at_the_end():
    server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    with Log("web", words=[f"copal.log=tcp://[::1]:{server.getsockname()[1]}"]) as log:
        tcp = Tcp(server)
        log.say("web", "last words")  # without an end of line
        log.stop()
        sequences = []
        while True:
            _, _, _, sequence, text = tcp.receive()
            sequences.append(sequence)
            if text == "last words":
                break
        assert sequences == list(range(1, len(sequences) + 1))
        tcp.close()
    server.close()


def test_reconnects_more_and_more_rarely():
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(20)
    with Log("web", words=[f"copal.log=tcp://127.0.0.1:{server.getsockname()[1]}"]):
        times = []
        for _ in range(4):
            connection, _ = server.accept()
            times.append(time.monotonic())
            connection.close()
        delays = [b - a for a, b in zip(times, times[1:])]
        for delay, meant in zip(delays, (1, 2, 4)):
            assert meant - 0.1 < delay < meant + 1.5, delays
    server.close()


def test_slow_collector_learns_what_it_missed():
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    with Log("flood:1000000", words=[f"copal.log=tcp://127.0.0.1:{port}"]) as log:
        tcp = Tcp(server)
        tcp.receive()
        for _ in range(100):
            log.say("flood", ("x" * 99 + "\n") * 1000)
        log.say("flood", "end\n")
        with log.client("lines=1 flood follow") as client:
            while client.text() != "end":
                pass
        seen, missed, last = 1, 0, 1
        while True:
            _, _, service, sequence, text = tcp.receive()
            match = LEFT_OUT.fullmatch(text) if service == "log" else None
            if match:
                missed += int(match[1])
                assert sequence == last + int(match[1])
            else:
                seen += 1
                assert sequence == last + 1
            last = sequence
            if text == "end":
                break
        assert missed > 10_000
        assert seen + missed == last
        tcp.close()
    server.close()


def test_bad_collector_is_told():
    with Log("web", words=["copal.log=udp://loghost:514"]) as log, log.client("follow") as client:
        assert client.text().startswith("copal.log=udp://loghost:514: write udp://")


# ---- Crashes

def test_killed_again_and_again_nothing_in_the_pipes_is_lost():
    with Log("web") as log:
        for n in range(20):
            log.process.kill()
            log.process.wait()
            log.say("web", f"while it was away {n}\n")
            log.start()
            with log.client("follow") as client:
                assert client.text() == f"while it was away {n}"


def script(text, *more):
    return "\n".join([f'run = /bin/sh -c "{text}"', "user = root", *more]) + "\n"


def ctl(init, *words, user=None):
    su = f"setpriv --reuid={user} --clear-groups " if user else ""
    return init.shell(f"{su}/copalctl log {' '.join(words)}")


def test_asked_to_end_before_it_listens():
    def first():  # as PID 1 starts it: with signals blocked
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        os.kill(os.getpid(), signal.SIGINT)

    with Log("web", words=["copal.console=info"]) as log:
        log.process.kill()
        log.process.wait()
        log.say("web", "the last word\n")
        log.start(first)
        assert log.process.wait(20) == 0
        assert log.console() == ["<46>web: the last word"]


def test_client_program():
    with Pid1({"web": script("echo one; echo '<3>two'; exec sleep 1000"),
               "db": script("echo three; exec sleep 1000")}) as init:
        init.wait_for("^(web|db): ", 3)
        assert re.fullmatch(r"\S+Z web info: one\n\S+Z web err: two\n", ctl(init, "web").stdout)
        assert ctl(init).stdout.count("\n") == 3
        assert re.fullmatch(r"\S+Z web err: two\n", ctl(init, "-n", "1", "web").stdout)
        nobody = ctl(init, "nobody")
        assert nobody.returncode == 1 and nobody.stdout == ""
        assert nobody.stderr.endswith("\nlog: there is no service of this name\n")
        assert ctl(init, "-x").returncode == 2
        other = ctl(init, user=65534)
        assert other.returncode == 1 and "Permission denied" in other.stderr
        follow = init.shell(f"(sleep 0.3; pkill -KILL {LOG}) & exec /copalctl log -f web")
        assert follow.stdout.count("\n") == 2 and follow.returncode == 1
        assert "has gone" in follow.stderr
        # The socket is the same after a restart.
        init.wait_for("init: log: exec", 2)
        assert ctl(init, "web").returncode == 0
        assert init.stop() == "poweroff"


def test_confinement():
    with Pid1({"web": script("exec sleep 1000")}) as init:
        init.wait_for("init: web: ready")
        status = init.shell(f"cat /proc/$(pgrep {LOG})/status").stdout
        assert re.search(r"^Uid:\t100\t100\t100\t100$", status, re.M)
        assert re.search(r"^CapEff:\t0{16}$", status, re.M)
        assert init.shell("stat -c %a:%u /run/init/log").stdout == "600:0\n"
        assert init.stop() == "poweroff"


def test_killed_every_100_ms():
    """F20. Only what the log has read and not yet passed on may go with it."""
    count = "n=0; while :; do echo line $n; n=$((n+1)); sleep 0.02; done"
    with Pid1({"web": script(count)}) as init:
        init.wait_for("^web: line 3")
        init.shell(f"for i in $(seq 30); do pkill -KILL {LOG}; sleep 0.1; done")
        kills = len(init.find("init: log: exited .*: signal 9"))
        assert kills >= 5, kills
        last = int(init.find("^web: line")[-1].split()[-1])
        init.wait_for(f"^web: line {last + 20}$")
        seen = [int(line.split()[-1]) for line in init.find("^web: line")]
        assert seen == sorted(set(seen))
        lost = set(range(seen[-1])) - set(seen)
        print(f"# {kills} kills, {seen[-1]} lines, {len(lost)} lost")
        assert len(lost) <= kills
        assert not init.find("init: web: exited")
        assert init.stop() == "poweroff"


def test_stopped_with_full_pipes():
    """F20. Who must not wait does not; who waits can be killed and started again; PID 1 goes on."""
    busy = "import os\nb = b'x' * 99 + b'\\n'\nos.set_blocking(1, False)\nfull = 0\n" \
           "import time\nwhile True:\n" \
           "    try:\n        os.write(1, b)\n" \
           "    except BlockingIOError:\n        full += 1\n        time.sleep(0.001)\n" \
           "        open('/log/full', 'w').write(str(full))\n"
    with Pid1({"polite": "run = /usr/bin/python3 /etc/busy.py\nuser = root\nwrite = /log\n",
               "stubborn": script("echo $$ >/log/stubborn; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxx; done", "write = /log")},
              {"busy.py": busy}) as init:
        init.wait_for("^stubborn: x")
        init.shell(f"pkill -STOP {LOG}")

        def full():
            file = init.work / "full"
            return int(file.read_text() or 0) if file.exists() else 0
        before = full()
        end = time.monotonic() + 20
        while full() < before + 50:  # it finds its pipe full, and goes on
            assert time.monotonic() < end
            time.sleep(0.01)
        blocked = (init.work / "stubborn").read_text().strip()
        while "pipe_write" not in init.shell(f"cat /proc/{blocked}/wchan").stdout:
            if init.shell(f"cat /proc/{blocked}/wchan").stdout in ("", "0"):
                break  # this kernel does not say
            assert time.monotonic() < end
        init.shell(f"kill -TERM {blocked}")
        init.wait_for("init: stubborn: exec", 2)
        init.shell(f"pkill -CONT {LOG}")
        init.wait_for(r"^stubborn: \(\d+ lines left out\)")
        init.shell(f"pkill -STOP {LOG}")
        begin = time.monotonic()
        assert init.stop() == "poweroff"
        assert time.monotonic() - begin < 10
        assert not init.find("init: .*: bug")


def test_collector_under_init():
    receiver = ("import socket\nu = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                "u.bind(('127.0.0.1', 514))\nf = open('/log/collected', 'ab', 0)\n"
                "while True:\n    f.write(u.recv(4096) + b'\\n')\n")
    with Pid1({"collector": "run = /usr/bin/python3 /etc/receiver.py\nuser = root\nwrite = /log\ncaps = net_bind_service\n",
               "web": script("echo early; sleep 2; echo late; exec sleep 1000")},
              {"receiver.py": receiver, "hostname": "amber\n"},
              cmdline="copal.log=udp://127.0.0.1:514") as init:
        end = time.monotonic() + 20
        file = init.work / "collected"
        while not file.exists() or "] late\n" not in file.read_text():
            assert time.monotonic() < end
            time.sleep(0.05)
        messages = [MESSAGE.fullmatch(line) for line in file.read_text().splitlines()]
        assert all(messages)
        assert {message[3] for message in messages} == {"amber"}
        assert not init.find("^web: ")  # info is not for the console
        assert init.stop() == "poweroff"


if __name__ == "__main__":
    sys.exit(main(globals()))
