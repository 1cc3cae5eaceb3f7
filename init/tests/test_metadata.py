"""metadata, the program: firmware files, real HTTP(S) servers, what becomes of them in /run/config.

Under Meson, or: METADATA=build/src/metadata/metadata python3 init/tests/test_metadata.py [TEST]...
It runs in a mount and a network namespace of its own, so that /run, /etc, the kernel's command
line, firmware and even 169.254.169.254 can be the test's.
"""

import base64
import contextlib
import fcntl
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
    os.execvp("unshare", ["unshare", *users, "--mount", "--net", sys.executable, "-B", *sys.argv])


def set_up_machine():
    certificates = make_certificates()
    for folder in ("/run", "/etc", "/sys/firmware"):
        subprocess.run(["mount", "-t", "tmpfs", "test", folder], check=True)
    WORK.mkdir()
    for name, data in certificates.items():
        (WORK / name).write_bytes(data)
    CA.parent.mkdir(parents=True)
    shutil.copy(WORK / "ca.pem", CA)
    for path, text in {
            "/etc/passwd": "root:x:0:0::/:\nnobody:x:65534:65534::/:\ncoredns:x:201:202::/:\n",
            "/etc/hosts": "127.0.0.1 test\n", "/etc/nomad/default/single.hcl": "default\n",
            "/etc/nomad/nomad.hcl": "", "/etc/init/nomad": ""}.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
    (WORK / "cmdline").touch()
    subprocess.run(["mount", "--bind", WORK / "cmdline", "/proc/cmdline"], check=True)
    with socket.socket() as any_socket:
        for name, address in (("lo", "127.0.0.1"), ("lo:1", "169.254.169.254")):
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
        openssl(*new, "-keyout", "test.key", "-out", "test.pem", "-subj", "/CN=test", "-CA", "ca.pem", "-CAkey",
                "ca.key", "-addext", "subjectAltName=DNS:test", "-addext", "basicConstraints=critical,CA:FALSE")
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def clean():
    for path in (CONFIG, FW_CFG, SMBIOS):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())


def oem_strings(*texts):
    return bytes([11, 5, 0, 11, len(texts)]) + b"".join(text.encode() + b"\0" for text in texts) + b"\0"


def start(task, command_line=""):
    (WORK / "cmdline").write_text(f"console=ttyS0 {command_line} quiet\n")
    return subprocess.Popen([os.environ["METADATA"], task], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, env={})


def run(task, command_line=""):
    """Exit code and messages."""
    process = start(task, command_line)
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
        assert (info.st_uid, info.st_gid) == (0, 202)
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
    put(FW_CFG, b" \n")  # as good as none
    assert run("local") == (0, "SMBIOS: in /run/config\n")


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
        name = socket.gethostname()
        assert server.requests[0][1] == f"/{name}?h={name}"
        assert configuration() == DEFAULTS
        code, said = run("net", f"copal.metadata={server.base}/${{mac}}")  # there is only lo
        assert code == 1 and said.count("this machine has no ${mac}") == 3
        assert len(server.requests) == 1


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


def test_https_never_becomes_http():
    with (Server(send(200, DOCUMENT)) as plain,
          Server(send(302, Location=plain.base), certificate="test") as server):
        code, said = run("net", f"copal.metadata={server.base}/")
        assert code == 1 and "redirected from https to http" in said
        assert not plain.requests and not CONFIG.exists()


def imds(*answers):
    return Server(*answers, address="169.254.169.254", port=80)


def test_imds():
    with imds(send(200, b"t0ken=="), send(200, DOCUMENT)) as server:
        code, said = run("net", "copal.metadata=imds")
        assert code == 0, said
        assert configuration() == GIVEN
        (method, path, headers), (method2, path2, headers2) = server.requests
        assert (method, path) == ("PUT", "/latest/api/token")
        assert headers["X-aws-ec2-metadata-token-ttl-seconds"] == "300"
        assert (method2, path2) == ("GET", "/latest/user-data")
        assert headers2["X-aws-ec2-metadata-token"] == "t0ken=="


def test_imds_without_user_data():
    with imds(send(200, b"t0ken"), send(404)):
        assert run("net", "copal.metadata=imds") == (0, "imds: nothing there\n")
        assert configuration() == DEFAULTS


def test_imds_with_a_token_that_is_none():
    with imds(send(200, b"a\r\nX-Other: b")) as server:
        code, said = run("net", "copal.metadata=imds")
        assert code == 1 and "token: is none" in said
        assert {request[0] for request in server.requests} == {"PUT"}
    with imds(send(403)) as server:
        code, said = run("net", "copal.metadata=imds")
        assert code == 1 and "token: HTTP status 403" in said


if __name__ == "__main__":
    enter_namespaces()
    set_up_machine()
    sys.exit(main(globals()))
