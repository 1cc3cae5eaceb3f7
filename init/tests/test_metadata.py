"""metadata, the program: firmware files, real HTTP(S) servers, what becomes of them in /run/config.

Under Meson, or: METADATA=build/src/metadata/metadata python3 init/tests/test_metadata.py [TEST]...
It runs in a mount and a network namespace of its own, so that /run, /etc, the kernel's command
line, firmware and even 169.254.169.254 can be the test's.
"""

import base64
import contextlib
import fcntl
import gzip
import json
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import struct
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pid1 import main

CONFIG = Path("/run/config")
FW_CFG = Path("/sys/firmware/qemu_fw_cfg/by_name/opt/copal/metadata/raw")
SMBIOS = Path("/sys/firmware/dmi/entries/11-0/raw")
DMI = Path("/sys/class/dmi/id")
ORIGIN = Path("/run/config.origin")
WORK = Path("/run/test")
CA = Path("/etc/ssl/certs/ca-certificates.crt")

DOCUMENT = {"nomad": {"entries": {"10.hcl": {"content": "x = 1\n", "perm": "0600"},
                                  "tls": {"entries": {"ca.pem": {"content": "é"}}}}}}


# ---- The machine

def enter_namespaces():
    """Starts this program once more, in namespaces."""
    if "INSIDE" in os.environ:
        return
    users = [] if os.getuid() == 0 else ["--map-root-user", "--map-auto"]
    os.environ["INSIDE"] = "1"
    os.execvp("unshare", ["unshare", *users, "--mount", "--net", "--uts", sys.executable, "-B", *sys.argv])


def set_up_machine():
    certificates = make_certificates()
    for folder in ("/run", "/etc", "/sys/firmware", "/sys/class"):
        subprocess.run(["mount", "-t", "tmpfs", "test", folder], check=True)
    WORK.mkdir()
    for name, data in certificates.items():
        (WORK / name).write_bytes(data)
    CA.parent.mkdir(parents=True)
    shutil.copy(WORK / "ca.pem", CA)
    for path, text in {
            "/etc/passwd": "root:x:0:0::/:\nnobody:x:65534:65534::/:\ncoredns:x:201:202::/:\nnetwork:x:203:204::/:\n",
            "/etc/group": "root:x:0:\n", "/etc/hostname": "image\n",
            "/etc/init/proxy": "run = /usr/bin/proxy\nuser = coredns\n",
            "/etc/init/network": "task = /usr/bin/init --net --wait 60s\nuser = root\n",
            "/etc/hosts": "127.0.0.1 test\n169.254.169.254 metaldata metadata.platformequinix.com\n",
            "/etc/nomad/default/single.hcl": "default\n",
            "/etc/nomad/nomad.hcl": "", "/etc/init/nomad": ""}.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
    (WORK / "cmdline").touch()
    subprocess.run(["mount", "--bind", WORK / "cmdline", "/proc/cmdline"], check=True)
    for path in (DMI, Path("/sys/class/block"), Path("/sys/class/net")):
        path.mkdir(parents=True)
    socket.sethostname("amber")
    with socket.socket() as any_socket:
        for name, address in (("lo", "127.0.0.1"), ("lo:1", "169.254.169.254"), ("lo:2", "169.254.42.42")):
            request = struct.pack("16sHH4s8x", name.encode(), socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(any_socket, 0x8916, request)  # SIOCSIFADDR
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 1))  # SIOCSIFFLAGS: up


def make_certificates():
    """A test authority and a certificate of its for the name `test`; and one that nobody signed."""
    with tempfile.TemporaryDirectory() as folder:
        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], check=True, cwd=folder, capture_output=True)

        new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
        openssl(*new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority")
        openssl(*new, "-keyout", "self.key", "-out", "self.pem", "-subj", "/CN=test",
                "-addext", "subjectAltName=DNS:test")
        openssl(*new, "-keyout", "equinix.key", "-out", "equinix.pem", "-subj", "/CN=equinix", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-addext", "subjectAltName=DNS:metadata.platformequinix.com", "-addext", "basicConstraints=critical,CA:FALSE")
        openssl(*new, "-keyout", "test.key", "-out", "test.pem", "-subj", "/CN=test", "-CA", "ca.pem", "-CAkey",
                "ca.key", "-addext", "subjectAltName=DNS:test", "-addext", "basicConstraints=critical,CA:FALSE")
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def clean():
    for path in (CONFIG, FW_CFG, SMBIOS, ORIGIN, *DMI.iterdir(), *Path("/sys/class/block").iterdir()):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    socket.sethostname("amber")


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())


def oem_strings(*texts):
    return bytes([11, 5, 0, 11, len(texts)]) + b"".join(text.encode() + b"\0" for text in texts) + b"\0"


def start(task, command_line="", before=()):
    (WORK / "cmdline").write_text(f"console=ttyS0 {command_line} quiet\n")
    return subprocess.Popen([*before, os.environ["METADATA"], task], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, env={})


def run(task, command_line="", before=()):
    """Exit code and messages."""
    process = start(task, command_line, before)
    said = process.communicate(timeout=100)[1]
    return process.returncode, said


def configuration():
    """Everything in /run/config: content of a file, target of a link, None for a folder."""
    found = {}
    for path in sorted(CONFIG.rglob("*")):
        name = str(path.relative_to(CONFIG))
        found[name] = os.readlink(path) if path.is_symlink() else None if path.is_dir() else path.read_text()
    return found


GIVEN = {"nomad": None, "nomad/10.hcl": "x = 1\n", "nomad/tls": None, "nomad/tls/ca.pem": "é"}
DEFAULTS = {"nomad": "/etc/nomad/default"}


# ---- Local

def test_nothing_given_leads_to_the_defaults():
    clean()
    assert run("local") == (0, "")
    assert configuration() == DEFAULTS
    assert (CONFIG / "nomad/single.hcl").read_text() == "default\n"
    assert stat.S_IMODE(CONFIG.stat().st_mode) == 0o755


def test_fw_cfg():
    clean()
    put(FW_CFG, DOCUMENT)
    assert run("local") == (0, "fw_cfg: in /run/config\n")
    assert configuration() == GIVEN
    modes = {path: (stat.S_IMODE((CONFIG / path).stat().st_mode), (CONFIG / path).stat().st_gid) for path in GIVEN}
    assert modes == {"nomad": (0o750, 0), "nomad/10.hcl": (0o600, 0), "nomad/tls": (0o750, 0),
                     "nomad/tls/ca.pem": (0o640, 0)}


def test_a_service_with_a_user_can_read_its_folder():
    clean()
    put(FW_CFG, {"coredns": {"entries": {"Corefile": {"content": "."}}}})
    assert run("local")[0] == 0
    for path in ("coredns", "coredns/Corefile"):
        info = (CONFIG / path).stat()
        assert (info.st_uid, info.st_gid) == (201, 202)
    assert os.readlink(CONFIG / "nomad") == "/etc/nomad/default"


def test_smbios_comes_after_fw_cfg():
    clean()
    text = base64.b64encode(json.dumps(DOCUMENT).encode()).decode()
    put(SMBIOS, oem_strings("something else", "copal.metadata=" + text))
    assert run("local") == (0, "SMBIOS: in /run/config\n")
    assert configuration() == GIVEN
    put(FW_CFG, {"a": {"content": "from fw_cfg"}})
    assert run("local")[0] == 0
    assert configuration() == DEFAULTS | {"a": "from fw_cfg"}
    put(FW_CFG, b" \n")
    assert run("local") == (0, "fw_cfg: is empty; skipped\nSMBIOS: in /run/config\n")


def test_what_is_for_cloud_init_is_skipped():
    clean()
    put(FW_CFG, b"#cloud-config\nusers: []\n")
    skipped = "fw_cfg: is for cloud-init, not for this machine; skipped\n"
    assert run("local") == (0, skipped)
    assert configuration() == DEFAULTS and not ORIGIN.exists()
    code, said = run("local", "copal.metadata=fw_cfg")
    assert code == 1 and said.startswith(skipped) and "has no document" in said
    put(SMBIOS, oem_strings("copal.metadata=" + base64.b64encode(json.dumps(DOCUMENT).encode()).decode()))
    assert run("local") == (0, skipped + "SMBIOS: in /run/config\n")
    assert ORIGIN.read_text() == "SMBIOS\n"


def test_gzip_is_unpacked():
    clean()
    packed = gzip.compress(json.dumps(DOCUMENT).encode())
    put(FW_CFG, packed)
    assert run("local") == (0, "fw_cfg: in /run/config\n")
    assert configuration() == GIVEN
    for broken in (packed[:-1], packed + b"x", gzip.compress(b" " * (2 << 20)), b"\x1f\x8b"):
        put(FW_CFG, broken)
        assert run("local") == (1, "fw_cfg: is gzip, but damaged, or larger than 1 MiB\n")
    put(FW_CFG, gzip.compress(b"#cloud-config\n"))
    assert run("local") == (0, "fw_cfg: is for cloud-init, not for this machine; skipped\n")
    with Server(send(200, packed[:-1]), send(200, packed)) as server:
        code, said = run("net", f"copal.metadata={server.base}/")
        assert code == 0 and "is gzip, but damaged" in said
        assert configuration() == GIVEN
    for name, document in (("hetzner", packed), ("azure", base64.b64encode(packed))):
        with cloud(name, document=document)[0]:
            assert run("net", f"copal.metadata={name}")[0] == 0
            assert configuration() == expected(name)


def fat(label, where):
    """The beginning of a small FAT, with its label in the boot sector or in the root directory, as tools write it."""
    image = bytearray(1 << 20)
    image[11:24] = struct.pack("<HBHBHHBH", 512, 4, 4, 2, 512, 2048, 0xf8, 16)
    image[43:54] = label if where == "boot sector" else b"NO NAME    "
    image[54:62] = b"FAT16   "
    image[510:512] = b"\x55\xaa"
    if where == "root directory":
        image[36 * 512:36 * 512 + 12] = label + b"\x08"
    return bytes(image)


def iso(label):
    return b"\0" * 32768 + b"\x01CD001\x01\0" + b" " * 32 + label.ljust(32) + b"\0" * 1976


def test_a_disk_that_is_there_and_cannot_be_used_is_said():
    # The kernel cannot mount what is no device: far enough to see that the disk was known for what it is.
    for image, found in ((fat(b"CIDATA     ", "boot sector"), "cidata"), (fat(b"cidata     ", "root directory"), "cidata"),
                         (iso(b"config-2"), "config-2"), (iso(b"config"), "config"), (iso(b"CIDATA"), "cidata"),
                         (fat(b"CONFIG     ", "boot sector"), None), (iso(b"Debian 12"), None)):
        clean()
        Path("/sys/class/block/shm!..!..!run!disk").touch()  # which the kernel writes for /dev/shm/../../run/disk
        Path("/run/disk").write_bytes(image)
        code, said = run("local")
        if found:
            assert code == 1 and f"mount /dev/shm/../../run/disk ({found}): " in said, (found, said)
        else:
            assert (code, said) == (0, ""), said


def test_the_command_line_chooses():
    clean()
    put(FW_CFG, {"a": {"content": "fw_cfg"}})
    put(SMBIOS, oem_strings("copal.metadata=" + base64.b64encode(b'{"a": {"content": "smbios"}}').decode()))
    for choice, content in (("auto", "fw_cfg"), ("fw_cfg", "fw_cfg"), ("smbios", "smbios"), ("none", None),
                            ("http://127.0.0.1:9/", None), ("imds", None)):
        assert run("local", f"copal.metadata={choice}")[0] == 0, choice
        assert configuration() == DEFAULTS | ({"a": content} if content else {}), choice
    code, said = run("local", "copal.metadata=floppy")
    assert code == 1 and "write auto, none" in said
    FW_CFG.unlink()
    code, said = run("local", "copal.metadata=fw_cfg")
    assert code == 1 and "has no document" in said


def test_a_bad_document_changes_nothing():
    clean()
    put(FW_CFG, DOCUMENT)
    assert run("local")[0] == 0
    secret = {"nomad": {"entries": {"1": {"content": "secret"}, "..": {"content": "secret"}}}}
    put(FW_CFG, secret)
    assert run("local") == (1, "fw_cfg: /nomad/entries/..: is no name for a file\n")
    for broken in (b"secret", b'{"a": {"content": "secret', b"\0" * 100, b'{"a":' * 100000, b"x" * 1048577):
        put(FW_CFG, broken)
        code, said = run("local")
        assert code == 1 and "secret" not in said, said
    put(SMBIOS, oem_strings("copal.metadata=%%%"))
    code, said = run("local", "copal.metadata=smbios")
    assert code == 1 and "not base64" in said
    assert configuration() == GIVEN
    assert not Path("/run/config.next").exists()


def test_what_was_there_is_replaced():
    clean()
    put(FW_CFG, DOCUMENT)
    assert run("local")[0] == 0
    # As a run that was killed leaves it.
    Path("/run/config.next/x").mkdir(parents=True)
    put(FW_CFG, {"b": {"entries": {}}})
    assert run("local")[0] == 0
    assert configuration() == DEFAULTS | {"b": None}
    assert not Path("/run/config.next").exists()
    assert Path("/etc/nomad/default/single.hcl").exists(), "a link was followed"


# What the tasks' files give to root.
TASK = ("setpriv", "--bounding-set=-all,+chown,+setuid,+setgid", "--inh-caps=-all")


def owners(*paths):
    return [(info.st_uid, info.st_gid, oct(info.st_mode & 0o777)) for info in ((CONFIG / path).stat() for path in paths)]


def test_files_are_their_services():
    clean()
    file = {"content": ".", "perm": "0400"}
    put(FW_CFG, {"proxy": {"entries": {"key": file, "tls": {"perm": "0700", "entries": {"key": file}}}, "perm": "0500"},
                 "coredns": {"entries": {"Corefile": {"content": ".", "perm": "0600"}}},
                 "network": {"entries": {"eth0": {"content": "."}}},
                 "nobodys": {"entries": {"x": {"content": "."}}}})
    for _ in range(2):  # the second time it has to remove what is no longer root's
        assert run("local", before=TASK) == (0, "fw_cfg: in /run/config\n")
        # Its service has another name than the user that it runs as.
        assert owners("proxy", "proxy/key", "proxy/tls", "proxy/tls/key") == [
            (201, 202, "0o500"), (201, 202, "0o400"), (201, 202, "0o700"), (201, 202, "0o400")]
        assert owners("coredns", "coredns/Corefile") == [(201, 202, "0o750"), (201, 202, "0o600")]
        # Two services read it: one as root without any right, one as the user `network`.
        assert owners("network", "network/eth0") == [(0, 204, "0o750"), (0, 204, "0o640")]
        assert owners("nobodys", "nobodys/x") == [(0, 0, "0o750"), (0, 0, "0o640")]
        assert not Path("/run/config.next").exists()


# ---- Network

class Server:
    """Answers by a script: one answer after the other, the last one for ever."""

    def __init__(self, *answers, address="127.0.0.1", port=0, certificate=None):
        self.requests = []  # (method, path, headers)
        self.users = []
        self.asked = threading.Semaphore(0)
        server = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                server.requests.append((self.command, self.path, dict(self.headers)))
                server.users.append(user_of(self.client_address[1]))
                answer = answers[min(len(server.requests), len(answers)) - 1]
                server.asked.release()
                with contextlib.suppress(OSError):  # the client had enough
                    answer(self)

            def log_message(self, *_):
                pass

        for method in ("do_GET", "do_PUT"):
            setattr(Handler, method, Handler.handle_any)
        self.http = ThreadingHTTPServer((address, port), Handler)
        self.http.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.http.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(WORK / f"{certificate}.pem", WORK / f"{certificate}.key")
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
            self.base = f"https://test:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))

    def __enter__(self):
        clean()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


def user_of(port):
    """Whose socket it is that has this local port."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(":")[1], 16) == port:
            return int(fields[7])
    return None


def send(status, body=b"", **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    def answer(handler):
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)
    return answer


def test_http():
    with Server(send(200, DOCUMENT)) as server:
        code, said = run("net", f"copal.metadata={server.base}/x")
        assert (code, said) == (0, f"{server.base}/x: in /run/config\n")
        assert configuration() == GIVEN
        assert [request[:2] for request in server.requests] == [("GET", "/x")]
        assert server.users == [65534], "it asks as somebody who could do harm"


def test_the_network_is_not_asked_unless_told_to():
    clean()
    put(FW_CFG, DOCUMENT)
    for choice in ("", "copal.metadata=auto", "copal.metadata=none", "copal.metadata=fw_cfg"):
        assert run("net", choice) == (0, "")
    assert not CONFIG.exists()


def test_the_network_replaces_what_local_left():
    with Server(send(200, DOCUMENT)) as server:
        choice = f"copal.metadata={server.base}/"
        assert run("local", choice)[0] == 0
        assert configuration() == DEFAULTS
        assert run("net", choice)[0] == 0
        assert configuration() == GIVEN


def test_variables():
    with Server(send(200, {})) as server:
        assert run("net", f"copal.metadata={server.base}/${{hostname}}?h=${{hostname}}")[0] == 0
        assert server.requests[0][1] == "/amber?h=amber"
        assert configuration() == DEFAULTS
        code, said = run("net", f"copal.metadata={server.base}/${{mac}}")  # there is only lo
        assert code == 1 and said.count("this machine has no ${mac}") == 3
        assert len(server.requests) == 1


def test_the_images_name_is_no_machines():
    with Server(send(200, {})) as server:
        socket.sethostname("image")
        url = f"copal.metadata={server.base}/${{hostname}}"
        code, said = run("net", url)
        assert code == 1 and said.count("this machine has no ${hostname} of its own") == 3
        assert not server.requests
        assert run("net", url + " copal.hostname=image")[0] == 0
        assert server.requests[0][1] == "/image"


def test_what_is_appended_wins():
    with Server(send(200, {})) as server:
        assert run("net", f'copal.metadata=none "copal.metadata={server.base}/a b"')[0] == 1  # a blank is in no URL
        assert run("net", f'copal.metadata=none copal.metadata="{server.base}/a"')[0] == 0
        assert server.requests[0][1] == "/a"


def test_what_is_no_document_is_no_answer():
    html = b"<html>Welcome to our hotel</html>"
    for answers, reasons in (((b"", html), ("the answer is empty", "is not JSON at line 1")),
                             ((b"#cloud-config\n", b'{"a": {'), ("is for cloud-init", "is not JSON at line 1"))):
        with Server(*(send(200, answer) for answer in answers), send(200, DOCUMENT)) as server:
            code, said = run("net", f"copal.metadata={server.base}/")
            assert code == 0, said
            assert said.count("again in") == 2 and all(reason in said for reason in reasons), said
            assert configuration() == GIVEN


def test_404_is_final_after_three_tries():
    with Server(send(404)) as server:
        code, said = run("net", f"copal.metadata={server.base}/")
        assert code == 1 and len(server.requests) == 3
        assert said.count("HTTP status 404; again in") == 2
        assert not CONFIG.exists()


def test_500_is_not():
    with Server(send(500), send(503), send(500), send(429), send(200, DOCUMENT)) as server:
        code, said = run("net", f"copal.metadata={server.base}/")
        assert code == 0, said
        waits = [float(wait) for wait in re.findall(r"again in ([0-9.]+)s", said)]
        for wait, meant in zip(waits, (1, 2, 4, 8), strict=True):
            assert abs(wait - meant) <= meant * 0.11
        assert configuration() == GIVEN


def test_nobody_answers_at_first():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = start("net", f"copal.metadata=http://127.0.0.1:{port}/")
    assert "again in" in process.stderr.readline()
    with Server(send(200, DOCUMENT), port=port):
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said


def test_a_bad_document_is_final_after_three_tries():
    with Server(send(200, {"a": {"content": 1}})) as server:
        code, said = run("net", f"copal.metadata={server.base}/")
        assert code == 1 and len(server.requests) == 3
        assert "/a/content: is a number" in said
        assert not CONFIG.exists()


def test_an_endless_body():
    sent = []

    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        sent.append(0)
        while True:
            sent[-1] += handler.wfile.write(b" " * 65536)

    with Server(answer) as server:
        code, said = run("net", f"copal.metadata={server.base}/")
        assert code == 1 and said.count("is larger than 1 MiB") == 3
    assert max(sent) < 16 << 20  # what the sockets' buffers hold


def test_a_body_that_breaks_off():
    with Server(send(200, b'{"a": {"content": "', **{"Content-Length": "5000"}), send(200, DOCUMENT)) as server:
        code, said = run("net", f"copal.metadata={server.base}/")
        assert code == 0 and said.count("again in") == 1
        assert configuration() == GIVEN


def test_silence():
    done = threading.Event()
    with Server(lambda _: done.wait(90), send(200, DOCUMENT)) as server:
        code, said = run("net", f"copal.metadata={server.base}/")
        done.set()
        assert code == 0 and len(server.requests) == 2
        assert re.search("timed? ?out", said, re.I), said


def test_redirects():
    with Server(send(302, Location="/b"), send(307, Location="/c"), send(308, Location="/d"), send(200, DOCUMENT)) as server:
        assert run("net", f"copal.metadata={server.base}/a")[0] == 0
        assert [request[1] for request in server.requests] == ["/a", "/b", "/c", "/d"]
    with Server(send(302, Location="/x")) as server:
        code, said = run("net", f"copal.metadata={server.base}/x")
        assert code == 1 and "redirected more than 3 times" in said
        assert len(server.requests) == 3 * 4
    with Server(send(302, Location="file:///etc/hosts")) as server:
        code, said = run("net", f"copal.metadata={server.base}/x")
        assert code == 1 and not CONFIG.exists()


def test_https():
    with Server(send(200, DOCUMENT), certificate="test") as server:
        code, said = run("net", f"copal.metadata={server.base}/")
        assert code == 0, said
        assert configuration() == GIVEN


def test_https_of_somebody_else():
    for base, certificate in (("https://test", "self"), ("https://127.0.0.1", "test")):
        with Server(send(200, DOCUMENT), certificate=certificate) as server:
            process = start("net", f"copal.metadata={base}:{server.http.server_port}/")
            said = process.stderr.readline()
            process.send_signal(signal.SIGKILL)
            process.communicate()
            assert "certificate" in said.lower() and "again in" in said, said
            assert not server.requests and not CONFIG.exists()


def test_the_clock_may_be_wrong():
    """A certificate that is not good today is asked for again, and the message says what day it is here."""
    with Server(send(200, DOCUMENT), certificate="self") as server:
        port = server.http.server_port
        process = start("net", f"copal.metadata=https://test:{port}/")
        said = process.stderr.readline()
        assert re.search(r"\(the clock here says 20\d\d-\d\d-\d\d \d\d:\d\d UTC\); again in", said), said
    with Server(send(200, DOCUMENT), certificate="test", port=port):
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 0, said
        assert configuration() == GIVEN


def test_https_never_becomes_http():
    with (Server(send(200, DOCUMENT)) as plain,
          Server(send(302, Location=plain.base), certificate="test") as server):
        code, said = run("net", f"copal.metadata={server.base}/")
        assert code == 1 and "redirected from https to http" in said
        assert not plain.requests and not CONFIG.exists()


# ---- Clouds

TOKEN = "/latest/api/token"


class Cloud(Server):
    """Answers as a provider's documentation says: by path, and only who asks as it says."""

    def __init__(self, files, header=None, low_ports=(), address="169.254.169.254", **options):
        def answer(handler):
            path = handler.path
            if header and path != TOKEN and handler.headers.get(header[0]) != header[1]:
                send({"Metadata": 400, "X-aws-ec2-metadata-token": 401}.get(header[0], 403))(handler)
            elif path in low_ports and handler.client_address[1] >= 1024:
                send(403)(handler)
            elif path not in files:
                send(404, b"<h1>Not Found</h1>")(handler)
            else:
                body = files[path]
                (body if callable(body) else send(200, body))(handler)

        super().__init__(answer, address=address, port=options.pop("port", 80), **options)


def ask_for_token(handler):
    good = handler.command == "PUT" and handler.headers.get("X-aws-ec2-metadata-token-ttl-seconds") == "300"
    send(200, b"t0ken==")(handler) if good else send(400)(handler)


KEYS = "ssh-ed25519 AAAA anna@home\nssh-rsa BBBB\n"
BASE64 = base64.b64encode(json.dumps(DOCUMENT).encode())
EC2 = {"/latest/user-data": DOCUMENT, "/latest/meta-data/local-hostname": b"basalt.eu.compute.internal",
       "/latest/meta-data/public-keys/0/openssh-key": KEYS.encode(), "/latest/meta-data/public-ipv4": b"192.0.2.1"}
AZURE = "?api-version=2021-01-01"
SCALEWAY = {"hostname": "basalt", "public_ip": {"address": "192.0.2.1"},
            "ssh_public_keys": [{"key": key, "fingerprint": "x"} for key in KEYS.splitlines()]}

# By the name of each: what the firmware says, what its server needs, and what it has.
CLOUDS = {
    "imds": ({"sys_vendor": "Amazon EC2"}, {"header": ("X-aws-ec2-metadata-token", "t0ken==")}, EC2 | {TOKEN: ask_for_token}),
    "imds-v1": (None, {}, EC2),
    "gcp": ({"product_name": "Google Compute Engine"}, {"header": ("Metadata-Flavor", "Google")}, {
        "/computeMetadata/v1/instance/attributes/user-data": DOCUMENT,
        "/computeMetadata/v1/instance/hostname": b"basalt.c.project.internal",
        "/computeMetadata/v1/instance/attributes/ssh-keys": "".join(f"anna:{key}\n" for key in KEYS.splitlines()).encode(),
        "/computeMetadata/v1/instance/network-interfaces/0/access-configs/0/external-ip": b"192.0.2.1"}),
    "azure": ({"chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77"}, {"header": ("Metadata", "true")}, {
        f"/metadata/instance/compute/userData{AZURE}&format=text": BASE64,
        f"/metadata/instance/compute/name{AZURE}&format=text": b"basalt",
        f"/metadata/instance/compute/publicKeys{AZURE}": [{"keyData": key, "path": "/x"} for key in KEYS.splitlines()],
        f"/metadata/instance/network/interface/0/ipv4/ipAddress/0/publicIpAddress{AZURE}&format=text": b"192.0.2.1"}),
    "openstack": ({"product_name": "OpenStack Nova"}, {}, {
        "/openstack/latest/user_data": DOCUMENT,
        "/openstack/latest/meta_data.json": {"hostname": "basalt.novalocal", "uuid": "x", "public_keys": dict(
            zip("ab", KEYS.splitlines()))},
        "/latest/meta-data/public-ipv4": b"192.0.2.1"}),
    "digitalocean": ({"sys_vendor": "DigitalOcean"}, {}, {
        "/metadata/v1/user-data": DOCUMENT, "/metadata/v1/hostname": b"basalt", "/metadata/v1/public-keys": KEYS.encode(),
        "/metadata/v1/interfaces/public/0/ipv4/address": b"192.0.2.1"}),
    "hetzner": ({"sys_vendor": "Hetzner"}, {}, {
        "/hetzner/v1/userdata": DOCUMENT, "/hetzner/v1/metadata/hostname": b"basalt",
        "/hetzner/v1/metadata/public-keys": KEYS.splitlines(), "/hetzner/v1/metadata/public-ipv4": b"192.0.2.1"}),
    "equinix": (None, {"port": 443, "certificate": "equinix"}, {
        "/userdata": DOCUMENT, "/metadata": {"hostname": "basalt", "ssh_keys": KEYS.splitlines()},
        "/2009-04-04/meta-data/public-ipv4": b"192.0.2.1"}),
    "scaleway": ({"sys_vendor": "Scaleway"}, {"address": "169.254.42.42", "low_ports": ("/user_data/cloud-init",)}, {
        "/user_data/cloud-init": DOCUMENT, "/conf?format=json": SCALEWAY}),
    "vultr": ({"sys_vendor": "Vultr"}, {}, {
        "/latest/user-data": DOCUMENT, "/v1/hostname": b"basalt", "/v1/public-keys": KEYS.encode(),
        "/v1/interfaces/0/ipv4/address": b"192.0.2.1"}),
    "oracle": ({"chassis_asset_tag": "OracleCloud.com"}, {"header": ("Authorization", "Bearer Oracle")}, {
        "/opc/v2/instance/metadata/user_data": BASE64, "/opc/v2/instance/hostname": b"basalt",
        "/opc/v2/instance/metadata/ssh_authorized_keys": KEYS.encode()}),
    "metaldata": (None, {}, {
        "/get/user": DOCUMENT, "/get/meta/hostname": b"basalt", "/get/meta/authorized-keys": KEYS.encode(),
        "/get/meta/public-ipv4": b"192.0.2.1"}),
}


def cloud(name, **files):
    """The stand-in for a cloud, where `document` may stand for the answer to what its document is."""
    firmware, options, answers = CLOUDS[name]
    answers = dict(answers)
    if "document" in files:
        answers[next(iter(answers))] = files["document"]
    return Cloud(answers, **options), firmware


def expected(name):
    address = {} if name == "oracle" else {"public_ipv4": "192.0.2.1\n"}
    return GIVEN | {"hostname": "basalt\n", "ssh": None, "ssh/authorized_keys": KEYS} | address


def test_every_cloud_by_its_name():
    for name in CLOUDS:
        server, _ = cloud(name)
        with server:
            socket.sethostname("image")
            assert run("local", f"copal.metadata={name}") == (0, ""), name
            code, said = run("net", f"copal.metadata={name}")
            assert (code, said) == (0, f"{name}: this is basalt\n{name}: in /run/config\n"), (name, said)
            assert configuration() == expected(name), name
            assert ORIGIN.read_text() == f"{name}\n"
            assert socket.gethostname() == "basalt"
            # A socket that only root could have is root's, whoever uses it.
            assert set(server.users) <= {65534, 0 if name == "scaleway" else 65534}, name


def test_every_cloud_by_its_firmware():
    for name, (firmware, _, _) in CLOUDS.items():
        if not firmware:
            continue
        server, _ = cloud(name)
        with server:
            for file, text in firmware.items():
                put(DMI / file, text.encode() + b"\n")
            assert run("local") == (0, ""), name
            code, said = run("net")
            assert (code, said) == (0, f"{name}: in /run/config\n"), (name, said)
            assert configuration() == expected(name), name
            assert socket.gethostname() == "amber", "it has a name of its own"


def test_a_document_that_is_nearer_stands():
    server, firmware = cloud("hetzner")
    with server:
        put(DMI / "sys_vendor", b"Hetzner\n")
        put(FW_CFG, {"a": {"content": "near"}})
        assert run("local")[0] == 0
        assert run("net") == (0, "")
        assert configuration() == DEFAULTS | {"a": "near"} and not server.requests
        assert firmware


def test_what_a_cloud_was_not_given():
    """404, or where its documentation says so an empty answer: the defaults, and who it is."""
    for name in CLOUDS:
        server, _ = cloud(name, document=send(404, b"<h1>Not Found</h1>"))
        with server:
            code, said = run("net", f"copal.metadata={name}")
            assert (code, said) == (0, f"{name}: nothing there\n"), (name, said)
            identity = {key: value for key, value in expected(name).items() if not key.startswith("nomad")}
            assert configuration() == DEFAULTS | identity, name
            assert not ORIGIN.exists()
    for name in ("azure", "hetzner", "equinix", "vultr"):
        with cloud(name, document=b"")[0]:
            assert run("net", f"copal.metadata={name}") == (0, f"{name}: nothing there\n")
    with cloud("gcp", document=b"#cloud-config\nusers: []")[0]:
        code, said = run("net", "copal.metadata=gcp")
        assert (code, said) == (0, "gcp: is for cloud-init, not for this machine; skipped\ngcp: nothing there\n")


def once(first, then):
    """Answers like this the first time, and with that from then on."""
    left = [first]
    return lambda handler: (left.pop() if left else send(200, then))(handler)


def test_a_cloud_that_is_not_ready():
    for first, why in ((send(503), "user-data: HTTP status 503"), (send(429), "HTTP status 429"), (send(200, b""), "is empty"),
                       (send(200, b"<html>"), "is not JSON")):
        with cloud("digitalocean", document=once(first, DOCUMENT))[0]:
            code, said = run("net", "copal.metadata=digitalocean")
            assert code == 0 and why in said and said.count("again in") == 1, said
            assert configuration() == expected("digitalocean")
    with cloud("oracle", document=once(send(200, b"{no base64}"), BASE64))[0]:
        code, said = run("net", "copal.metadata=oracle")
        assert code == 0 and "cannot be read; again in" in said, said


def test_a_cloud_that_sends_elsewhere_is_not_followed():
    with cloud("gcp", document=send(302, Location="http://127.0.0.1:9/"))[0] as server:
        code, said = run("net", "copal.metadata=gcp")
        assert code == 1 and said.count("HTTP status 302") == 3, said
        assert not CONFIG.exists() and server.requests


def test_a_token_that_is_none():
    with Server(send(200, b"a\r\nX-Other: b"), address="169.254.169.254", port=80) as server:
        code, said = run("net", "copal.metadata=imds")
        assert code == 1 and "token: is none" in said
        assert {request[0] for request in server.requests} == {"PUT"}
    with Server(send(403), address="169.254.169.254", port=80):
        code, said = run("net", "copal.metadata=imds")
        assert code == 1 and "token: HTTP status 403" in said


def test_the_document_says_it_itself():
    with cloud("hetzner", document={"hostname": {"content": "mine"}, "ssh": {"entries": {"authorized_keys": {"content": "k"}}}})[0]:
        assert run("net", "copal.metadata=hetzner")[0] == 0
        assert configuration() == DEFAULTS | {"hostname": "mine", "ssh": None, "ssh/authorized_keys": "k",
                                              "public_ipv4": "192.0.2.1\n"}


# ---- The manual

MANUAL = (Path(__file__).resolve().parents[2] / "docs/metadata.md").read_text(encoding="utf-8")


def test_the_manuals_document():
    clean()
    blocks = re.findall(r"(?:^    .*\n)+", MANUAL, re.M)
    document = next(block for block in blocks if block.lstrip().startswith("{"))
    put(FW_CFG, document.encode())
    assert run("local") == (0, "fw_cfg: in /run/config\n")
    assert set(configuration()) == {"nomad", "nomad/10-base.hcl", "nomad/tls", "nomad/tls/agent.key"}


def test_the_manual_has_every_source():
    names = set(re.findall(r"write (.*) or a URL", run("local", "copal.metadata=x")[1])[0].rstrip(",").split(", "))
    rows = set(re.findall(r"`([a-z0-9_-]+)`", "".join(re.findall(r"^\| (`[^|]*)\|", MANUAL, re.M))))
    assert names == rows - {"copal"}
    assert names >= set(CLOUDS)


if __name__ == "__main__":
    enter_namespaces()
    set_up_machine()
    sys.exit(main(globals()))
