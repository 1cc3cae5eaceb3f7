"""Where sources come from: MIRROR, upstream, Debian's archive. Served by a folder, or by a server on loopback.

First scripts/fetch alone, with its facts on standard input; then what Make does with it.
"""

import fcntl
import hashlib
import http.server
import importlib.util
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tarfile
import threading
import urllib.parse
import zipfile

import pytest

from .test_errors import says
from .tree import GATE, LIMIT, REPOSITORY, Done, Running, eventually, sha256, tarball, write

NOWHERE = "https://127.0.0.1:1"  # nobody listens there
CONTENT = b"content\n" * 1000
PIN = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves a dictionary path -> bytes, with Range, and keeps what was asked for."""

    daemon_threads = True

    def __init__(self):
        self.files, self.requests = {}, []
        self.cut = {}       # path -> after how many bytes the first answer breaks off
        self.answers = {}   # path -> function of the handler that answers instead
        self.meeting = None  # a barrier that every request waits at
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.over.set()
        self.shutdown()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, path = self.server, urllib.parse.unquote(self.path)  # apt asks for %2b
        asked = self.headers.get("Range")
        server.requests.append((path, asked))
        if server.meeting:
            server.meeting.wait(LIMIT)
        if path in server.answers:
            return server.answers[path](self)
        content = server.files.get(path)
        if content is None:
            return self.send_error(404)
        first = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        if asked and first >= len(content):
            return self.send_error(416)
        body = content[first:]
        self.head(206 if asked else 200, **{"Content-Length": len(body)} |
                  ({"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"} if asked else {}))
        self.wfile.write(body[:server.cut.pop(path, None)])

    def head(self, code, **fields):
        self.send_response(code)
        for name, value in fields.items():
            self.send_header(name, str(value))
        self.end_headers()

    def log_message(self, *words):
        pass


def stalls(handler):
    """3000 bytes come, and no more."""
    handler.head(200, **{"Content-Length": len(CONTENT)})
    handler.wfile.write(CONTENT[:3000])
    handler.server.over.wait(LIMIT)


@pytest.fixture
def server():
    with Server() as started:
        yield started
        started.stop()


class Fetch:
    """scripts/fetch, and what it is told on standard input."""

    def __init__(self, base):
        self.base, self.dl, self.script = base, base / "dl", REPOSITORY / "scripts/fetch"
        self.packages, self.running = {}, []
        (base / "home").mkdir()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(base / "home"), "LANG": "C.UTF-8", "no_proxy": "127.0.0.1"}
        self.package("a")

    def package(self, name, uri=f"{NOWHERE}/a.tar", pin=PIN, file="a.tar", **facts):
        """A package with one source. A field f_y is written f-y."""
        self.packages[name] = {"recipe": f"packages/{name}/{name}.mk", "version": "1", "source": [uri], "sha256": [pin],
                               "source-files": [file]} | {field.replace("_", "-"): value for field, value in facts.items()}

    def impatient(self, seconds):
        text = self.script.read_text(encoding="utf-8")
        assert "\nTIMEOUT = 60\n" in text
        write(self.base / "scripts/fetch", text.replace("\nTIMEOUT = 60\n", f"\nTIMEOUT = {seconds}\n"))
        self.script = self.base / "scripts/fetch"
        self.script.chmod(0o755)

    def start(self, pin=PIN, env=None, prefix=(), stdin=None, **options):
        folder = self.base / f"run{len(self.running)}"
        folder.mkdir()
        write(folder / "in", json.dumps(self.packages) if stdin is None else stdin)
        environment = {name: value for name, value in (self.environment | (env or {})).items() if value is not None}
        with open(folder / "in", "rb") as facts, open(folder / "out", "wb") as out, open(folder / "err", "wb") as err:
            streams = {"stdin": facts, "stdout": out, "stderr": err} | options
            process = subprocess.Popen([*prefix, self.script, "--to", self.dl, pin], env=environment, start_new_session=True, **streams)
        self.running.append(Running(process, folder))
        return self.running[-1]

    def run(self, *words, **options) -> Done:
        return self.start(*words, **options).wait()

    def does(self, *words, **options):
        done = self.run(*words, **options)
        assert done.code == 0 and done.err == "", done
        return done

    def fails(self, *words, **options):
        """With an error that a tired human can read on one screen."""
        done = self.run(*words, **options)
        assert done.code == 1 and "Traceback" not in done.err and 0 < len(done.err.splitlines()) < 20, done
        return done

    def kept(self, name="a.tar", pin=PIN):
        return self.dl / pin / name

    def part(self, content=None):
        path = self.dl / PIN / ".a.tar.part"
        if content is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return path

    def mirror(self, content=CONTENT):
        write(self.base / "mirror/README", "")
        (self.base / "mirror" / PIN).write_bytes(content)
        return str(self.base / "mirror")


@pytest.fixture
def fetch(tmp_path):
    made = Fetch(tmp_path)
    yield made
    for running in made.running:
        running.stop()


def test_mirror_folder_alone(fetch):
    done = fetch.does(env={"MIRROR": fetch.mirror()})
    assert done.out.startswith("  FETCH   a.tar ") and "0.0 MB from MIRROR, " in done.out and done.out.count("\n") == 1
    assert fetch.kept().read_bytes() == CONTENT
    assert fetch.kept().stat().st_mode & 0o777 == 0o444
    assert sorted(path.name for path in fetch.kept().parent.iterdir()) == [".lock", "a.tar"]


@pytest.mark.parametrize("host", ["", "localhost"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_mirror_folder_as_url(fetch, host, slash):
    fetch.does(env={"MIRROR": f"file://{host}{fetch.mirror()}{slash}"})
    assert fetch.kept().read_bytes() == CONTENT


@pytest.mark.parametrize("slash", ["", "/"])
def test_mirror_url(fetch, server, slash):
    server.files[f"/mirror/{PIN}"] = CONTENT
    fetch.does(env={"MIRROR": f"{server.url}/mirror{slash}"})
    assert fetch.kept().read_bytes() == CONTENT
    assert server.requests == [(f"/mirror/{PIN}", None)]


def test_a_mirror_that_is_a_file(fetch):
    write(fetch.base / "mirror", "")
    says(fetch.fails(env={"MIRROR": str(fetch.base / "mirror")}), f"MIRROR: {fetch.base}/mirror is not a folder", "docs/sources.md")


def test_a_mirror_folder_without_the_file(fetch):
    fetch.mirror()
    (fetch.base / "mirror" / PIN).unlink()
    says(fetch.fails(env={"MIRROR": str(fetch.base / "mirror")}), f"MIRROR: {fetch.base}/mirror/{PIN}: No such file")


@pytest.mark.parametrize("mirror", ["/nonexistent", "file:///nonexistent", "file://", "file://%00", "https://", "s3://bucket", "http://[",
                                    "http://x:y/", f"http://127.0.0.1:{10 ** 30}", "http://\u00e4.invalid/\u00e4"])
def test_a_mirror_that_is_nothing(fetch, mirror):
    says(fetch.fails(env={"MIRROR": mirror}), "packages/a/a.mk: cannot fetch a.tar", "MIRROR: ")


def without_rights():
    """What makes even root heed a file's mode."""
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


def test_a_mirror_whose_file_cannot_be_read(fetch):
    mirror = fetch.mirror()
    (fetch.base / "mirror" / PIN).chmod(0)
    says(fetch.fails(env={"MIRROR": mirror}, prefix=without_rights()), f"MIRROR: {mirror}/{PIN}: Permission denied")


def test_a_mirror_whose_file_is_a_folder(fetch):
    (fetch.base / "mirror" / PIN).mkdir(parents=True)
    says(fetch.fails(env={"MIRROR": str(fetch.base / "mirror")}), f"MIRROR: {fetch.base}/mirror/{PIN}: Is a directory")


def test_wrong_content_of_a_mirror_folder(fetch):
    says(fetch.fails(env={"MIRROR": fetch.mirror(b"wrong")}), "MIRROR: what came has another SHA-256", hashlib.sha256(b"wrong").hexdigest())
    assert not fetch.kept().exists() and not fetch.part().exists()


def test_upstream_url_after_the_mirror(fetch, server):
    fetch.package("a", upstream=f"{server.url}/site/v1?format=tar")
    server.files["/site/v1?format=tar"] = CONTENT
    done = fetch.does(env={"MIRROR": f"{server.url}/mirror"})
    assert "from upstream" in done.out
    assert [path for path, _ in server.requests] == [f"/mirror/{PIN}", "/site/v1?format=tar"]


def test_upstream_is_for_the_first_source_only(fetch, server):
    other = "0" * 64
    fetch.packages["a"] |= {"source": [f"{NOWHERE}/b.tar", f"{NOWHERE}/a.tar"], "sha256": [other, PIN], "source-files": ["b.tar", "a.tar"],
                            "upstream": f"{server.url}/b.tar"}
    says(fetch.fails(), "cannot fetch a.tar")
    assert server.requests == []


def test_wrong_content_of_a_mirror_is_not_taken(fetch, server):
    """The next place is asked, and nothing wrong is left."""
    fetch.package("a", upstream=f"{server.url}/site/a.tar")
    server.files = {f"/{PIN}": b"something else", "/site/a.tar": CONTENT}
    assert "from upstream" in fetch.does(env={"MIRROR": server.url}).out
    assert fetch.kept().read_bytes() == CONTENT


def test_a_pin_of_zeros_tells_the_hash(fetch, server):
    fetch.package("a", pin="0" * 64, upstream=f"{server.url}/site/a.tar")
    server.files["/site/a.tar"] = CONTENT
    says(fetch.fails("0" * 64), f"pinned:  {'0' * 64}", f"upstream: what came has another SHA-256: {PIN}")


def test_error_lists_every_place(fetch, server):
    fetch.package("a", upstream=f"{server.url}/site/a.tar")
    server.answers["/site/a.tar"] = lambda handler: handler.send_error(503)
    done = fetch.fails(env={"MIRROR": f"{server.url}/mirror"})
    says(done, "packages/a/a.mk: cannot fetch a.tar", f"pinned:  {PIN}", f"MIRROR: HTTP 404 Not Found: {server.url}/mirror/{PIN}",
         f"upstream: HTTP 503 Service Unavailable: {server.url}/site/a.tar", f"127.0.0.1:1: Connection refused: {NOWHERE}/a.tar",
         f"by hand as {fetch.kept()}", "set MIRROR=")


def test_a_redirect_is_followed(fetch, server):
    server.answers[f"/{PIN}"] = lambda handler: handler.head(302, Location="/elsewhere")
    server.files["/elsewhere"] = CONTENT
    fetch.does(env={"MIRROR": server.url})


def test_a_redirect_to_a_web_page(fetch, server):
    server.answers[f"/{PIN}"] = lambda handler: handler.head(302, Location="/login")
    server.files["/login"] = b"\n<!DOCTYPE html><title>Welcome</title>"
    says(fetch.fails(env={"MIRROR": server.url}), "MIRROR: a web page came instead of the file")
    assert not fetch.part().exists()


def test_a_redirect_to_itself(fetch, server):
    server.answers[f"/{PIN}"] = lambda handler: handler.head(302, Location=handler.path)
    says(fetch.fails(env={"MIRROR": server.url}), "MIRROR: HTTP 302")


def test_an_answer_that_is_not_http(fetch, server):
    server.answers[f"/{PIN}"] = lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n")
    says(fetch.fails(env={"MIRROR": server.url}), "MIRROR: ", "SSH-2.0")


@pytest.mark.parametrize("length", [0, 3000])
def test_a_server_that_falls_silent(fetch, server, length):
    """Before its answer, or in the midst of it."""
    fetch.impatient(1)
    server.answers[f"/{PIN}"] = stalls if length else lambda handler: handler.server.over.wait(LIMIT)
    says(fetch.fails(env={"MIRROR": server.url}), f"MIRROR: no answer for 1 s{' after 3000 of 8000 bytes' if length else ''}")
    assert length == 0 or fetch.part().read_bytes() == CONTENT[:3000]


def test_a_slow_server_is_not_cut(fetch, server):
    """Slower in all than the time limit, but not between two of its words."""
    def slow(handler):
        handler.head(200, **{"Content-Length": len(CONTENT)})
        for start in range(0, len(CONTENT), 1000):
            handler.server.over.wait(0.4)
            handler.wfile.write(CONTENT[start:start + 1000])

    fetch.impatient(2)
    server.answers[f"/{PIN}"] = slow
    fetch.does(env={"MIRROR": server.url})


def chunked(*chunks, last=b"0\r\n\r\n"):
    def answer(handler):
        handler.protocol_version = "HTTP/1.1"
        handler.head(200, **{"Transfer-Encoding": "chunked"})
        handler.wfile.write(b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + last)
        handler.close_connection = True
    return answer


def test_an_answer_in_chunks(fetch, server):
    server.answers[f"/{PIN}"] = chunked(CONTENT[:3000], CONTENT[3000:])
    fetch.does(env={"MIRROR": server.url})


def test_an_answer_in_chunks_that_breaks_off(fetch, server):
    server.answers[f"/{PIN}"] = chunked(CONTENT[:5000], last=b"bb8\r\nxx")
    says(fetch.fails(env={"MIRROR": server.url}), "MIRROR: ", "after 500")


def test_an_answer_of_unknown_length(fetch, server):
    def answer(handler):
        handler.head(200)
        handler.wfile.write(CONTENT)

    server.answers[f"/{PIN}"] = answer
    fetch.does(env={"MIRROR": server.url})


def test_a_refused_connection_is_not_an_endless_wait(fetch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        says(fetch.fails(env={"MIRROR": f"http://127.0.0.1:{taken.getsockname()[1]}"}), "MIRROR: Connection refused")


@pytest.fixture
def certificate(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("no openssl here")
    made = tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", made, "-out", tmp_path / "only"],
                   check=True, capture_output=True)
    made.write_bytes(made.read_bytes() + (tmp_path / "only").read_bytes())
    return made


@pytest.mark.parametrize("proxy", ["x", "http://[", "http://127.0.0.1:x", "socks5://127.0.0.1:1"])
def test_a_proxy_that_is_none(fetch, proxy):
    says(fetch.fails(env={"MIRROR": "http://mirror.invalid", "http_proxy": proxy}), "packages/a/a.mk: cannot fetch a.tar", "MIRROR: ")


def test_certificate(fetch, server, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.files["/a.tar"] = CONTENT
    host = server.url.removeprefix("http://")
    fetch.package("a", f"https://{host}/a.tar")
    says(fetch.fails(), f"{host}: its certificate is not accepted: self-signed certificate", "SSL_CERT_FILE=")
    assert f"from {host}, " in fetch.does(env={"SSL_CERT_FILE": str(certificate)}).out


def test_proxy_of_the_environment(fetch, server):
    server.files[f"http://mirror.invalid/{PIN}"] = CONTENT
    fetch.does(env={"MIRROR": "http://mirror.invalid", "http_proxy": server.url})


def test_partial_download_goes_on(fetch, server):
    """As an interrupted fetch left it."""
    fetch.part(CONTENT[:5000])
    server.files[f"/{PIN}"] = CONTENT
    fetch.does(env={"MIRROR": server.url})
    assert server.requests == [(f"/{PIN}", "bytes=5000-")]
    assert fetch.kept().read_bytes() == CONTENT
    assert not fetch.part().exists()


def test_whole_partial_download_is_taken(fetch):
    """Even where nobody can be asked, and though it may be read-only already."""
    fetch.part(CONTENT).chmod(0o444)
    fetch.does(prefix=without_rights())
    assert fetch.kept().read_bytes() == CONTENT


@pytest.mark.parametrize("length", [5000, 8000, 9000])
def test_spoilt_partial_download_is_given_up(fetch, server, length):
    """Rubbish at its start must not make a file impossible to fetch."""
    fetch.part(b"x" * length)
    server.files[f"/{PIN}"] = CONTENT
    fetch.does(env={"MIRROR": server.url})
    assert fetch.kept().read_bytes() == CONTENT


def test_connection_that_breaks_is_gone_on_with(fetch, server):
    path = f"/{PIN}"
    server.files[path] = CONTENT
    server.cut[path] = 5000
    says(fetch.fails(env={"MIRROR": server.url}), "MIRROR: the connection broke off after 5000 of 8000 bytes; run make again")
    fetch.does(env={"MIRROR": server.url})
    assert server.requests == [(path, None), (path, "bytes=5000-")]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_fetch_that_is_ended_goes_on(fetch, server, number, code):
    server.answers[f"/{PIN}"] = stalls
    first = fetch.start(env={"MIRROR": server.url})
    eventually(lambda: fetch.part().exists() and fetch.part().stat().st_size == 3000, "the first bytes came")
    first.signal(number)
    done = first.wait()
    assert (done.code, done.all) == (code, "")
    server.answers.clear()
    server.files[f"/{PIN}"] = CONTENT
    fetch.does(env={"MIRROR": server.url})
    assert server.requests[1:] == [(f"/{PIN}", "bytes=3000-")]


# Two makes

def waiting(fetch, **options):
    """One more fetch, that waits for the first one."""
    second = fetch.start(**options)
    eventually(lambda: "WAIT" in (second.folder / "out").read_text(), "the second one waits")
    return second


def test_two_at_once_fetch_once(fetch, server):
    server.meeting = threading.Barrier(2)
    server.files[f"/{PIN}"] = CONTENT
    first = fetch.start(env={"MIRROR": server.url})
    eventually(lambda: server.requests, "the file was asked for")
    second = waiting(fetch, env={"MIRROR": server.url})
    server.meeting.wait(LIMIT)
    done = first.wait(), second.wait()
    assert [one.code for one in done] == [0, 0]
    assert "FETCH   a.tar" in done[0].out
    assert done[1].out.split() == "WAIT a.tar another make is fetching it".split()
    assert len(server.requests) == 1
    assert fetch.kept().read_bytes() == CONTENT


def test_who_waits_takes_over_from_one_that_is_killed(fetch, server):
    server.answers[f"/{PIN}"] = stalls
    first = fetch.start(env={"MIRROR": server.url})
    eventually(lambda: fetch.part().exists() and fetch.part().stat().st_size == 3000, "the first bytes came")
    second = waiting(fetch, env={"MIRROR": server.url})
    server.answers.clear()
    server.files[f"/{PIN}"] = CONTENT
    first.signal(signal.SIGKILL)
    assert second.wait().code == 0
    assert server.requests[1:] == [(f"/{PIN}", "bytes=3000-")]


def test_who_waits_may_be_interrupted(fetch, server):
    server.meeting = threading.Barrier(2)
    server.files[f"/{PIN}"] = CONTENT
    first = fetch.start(env={"MIRROR": server.url})
    eventually(lambda: server.requests, "the file was asked for")
    second = waiting(fetch, env={"MIRROR": server.url})
    second.signal(signal.SIGINT)
    done = second.wait()
    assert done.code == 130 and done.err == ""
    server.meeting.wait(LIMIT)
    assert first.wait().code == 0
    assert fetch.kept().read_bytes() == CONTENT


def client(fetch, name, script):
    """A client of this host's, as PATH finds it."""
    path = fetch.base / "bin" / name
    write(path, f"#!/bin/bash\n{script}")
    path.chmod(0o755)
    fetch.environment["PATH"] = f"{path.parent}:{os.environ['PATH']}"


def test_a_client_that_outlives_its_fetch_writes_alone(fetch):
    fetch.package("a", "go:example.com/a@v1.0.0", file="a-v1.0.0.zip")
    os.mkfifo(fetch.base / "gate")
    client(fetch, "go", f"touch {fetch.base}/begun; exec /bin/cat {fetch.base}/gate")
    first = fetch.start()
    eventually((fetch.base / "begun").exists, "the client runs")
    first.process.kill()
    first.wait()
    second = waiting(fetch, env={"MIRROR": fetch.mirror()})
    (fetch.base / "gate").write_text("")
    assert second.wait().code == 0
    assert fetch.kept("a-v1.0.0.zip").read_bytes() == CONTENT


def test_what_is_there_needs_nothing(fetch, server):
    fetch.kept().parent.mkdir(parents=True)
    fetch.kept().write_bytes(CONTENT)
    done = fetch.does(env={"MIRROR": server.url})
    assert done.out == "" and server.requests == []


def test_a_wrong_file_is_replaced(fetch):
    fetch.kept().parent.mkdir(parents=True)
    fetch.kept().write_bytes(b"wrong")
    fetch.does(env={"MIRROR": fetch.mirror()})
    assert fetch.kept().read_bytes() == CONTENT


def test_a_wrong_file_stays_when_there_is_no_better_one(fetch):
    fetch.kept().parent.mkdir(parents=True)
    fetch.kept().write_bytes(b"wrong")
    says(fetch.fails(), f"{fetch.kept()}: what came has another SHA-256")
    assert fetch.kept().read_bytes() == b"wrong"


def test_two_files_of_one_name(fetch):
    """As v1.0.tar.gz of two authors: each has its own pin, hence its own place."""
    other = hashlib.sha256(b"other").hexdigest()
    fetch.package("b", pin=other)
    mirror = fetch.mirror()
    (fetch.base / "mirror" / other).write_bytes(b"other")
    for pin in (PIN, other):
        fetch.does(pin, env={"MIRROR": mirror})
    assert (fetch.kept().read_bytes(), fetch.kept(pin=other).read_bytes()) == (CONTENT, b"other")


def test_one_file_of_two_names_is_fetched_once(fetch, server):
    fetch.package("b", f"{NOWHERE}/b.tar", file="b.tar")
    server.files[f"/{PIN}"] = CONTENT
    fetch.does(env={"MIRROR": server.url})
    assert len(server.requests) == 1
    assert fetch.kept("a.tar").read_bytes() == fetch.kept("b.tar").read_bytes() == CONTENT


def test_a_good_file_of_another_name_is_taken(fetch):
    fetch.kept("older.tar").parent.mkdir(parents=True)
    fetch.kept("older.tar").write_bytes(CONTENT)
    fetch.does()
    fetch.kept("older.tar").write_bytes(b"")
    assert fetch.kept().read_bytes() == CONTENT


def test_every_package_that_has_the_pin_says_where(fetch, server):
    fetch.package("b", f"{NOWHERE}/elsewhere/a.tar")
    fetch.package("c", upstream=f"{server.url}/a.tar")
    server.files["/a.tar"] = CONTENT
    assert "from upstream" in fetch.does().out
    server.files.clear()
    fetch.kept().unlink()
    done = fetch.fails()
    says(done, f"refused: {NOWHERE}/elsewhere/a.tar")
    assert done.err.count(f"refused: {NOWHERE}/a.tar") == 1


# What can go wrong on this machine

def test_full_disk(fetch):
    fetch.dl.mkdir()
    small = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs -o size=4k none "$0" && exec "$@"', fetch.dl]
    if subprocess.run([*small, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no file systems of one's own here")
    done = fetch.fails(env={"MIRROR": fetch.mirror()}, prefix=small)
    says(done, "packages/a/a.mk: cannot keep a.tar: ", str(fetch.dl), "No space left on device", "DL=")


def test_download_folder_that_cannot_be_written(fetch):
    fetch.dl.mkdir(mode=0o500)
    done = fetch.fails(env={"MIRROR": fetch.mirror()}, prefix=without_rights())
    says(done, f"packages/a/a.mk: cannot keep a.tar: {fetch.dl}/{PIN}: Permission denied", "DL=")


def test_download_folder_that_is_a_file(fetch):
    write(fetch.dl, "")
    says(fetch.fails(env={"MIRROR": fetch.mirror()}), "packages/a/a.mk: cannot keep a.tar: ", str(fetch.dl), "DL=")


def test_a_folder_where_the_file_should_be(fetch):
    fetch.kept().mkdir(parents=True)
    says(fetch.fails(env={"MIRROR": fetch.mirror()}), f"{fetch.kept()}: Is a directory")


def test_nobody_listens(fetch):
    """make source | head"""
    read, write_end = os.pipe()
    os.close(read)
    fetch.does(env={"MIRROR": fetch.mirror()}, stdout=write_end)
    os.close(write_end)
    assert fetch.kept().read_bytes() == CONTENT


# What can be wrong with what it is told

@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', '{"a": {"sha256": 1}}', "\xff", f'{{"a": {{"sha256": ["{PIN}"]}}}}',
                                  f'{{"a": {{"recipe": "a.mk", "sha256": ["{PIN}"]}}}}'])
def test_rubbish_on_standard_input(fetch, text):
    done = fetch.fails(stdin=text)
    says(done, "fetch: ")
    assert len(done.err.splitlines()) == 1


def test_a_pin_that_no_package_has(fetch):
    says(fetch.fails("0" * 64), f"no selected package has a source with the pin {'0' * 64}")


@pytest.mark.parametrize(("uri", "form"), [
    ("debian:zlib", "debian:<source package>/<file>"),
    ("debian:/x", "debian:<source package>/<file>"),
    ("debian:a/", "debian:<source package>/<file>"),
    ("debian:a/b/c", "debian:<source package>/<file>"),
    ("debian:a/.lock", "debian:<source package>/<file>"),
    ("pypi:x", "pypi:<project>/<project>-<version>.tar.gz"),
    ("pypi:x/y", "pypi:<project>/<project>-<version>.tar.gz"),
    ("go:x", "go:<module>@v<version>"),
    ("go:x@", "go:<module>@v<version>"),
    ("go:x@v1@v2", "go:<module>@v<version>"),
    ("go-vendor:", "go-vendor:<file>"),
    ("go-vendor:a/b", "go-vendor:<file>"),
    ("https://", "https://<host>/<path>/<file>"),
    ("https://host", "https://<host>/<path>/<file>"),
    ("https://host/", "https://<host>/<path>/<file>"),
    ("https://host/a b", "https://<host>/<path>/<file>"),
    ("https://host/a#b", "https://<host>/<path>/<file>"),
    ("https://host/a?b=c", "https://<host>/<path>/<file>"),
    ("https:///a", "https://<host>/<path>/<file>"),
    ("https:a", "https://<host>/<path>/<file>"),
    ("ftp://host/a", "use debian:, pypi:, go:, go-vendor: or https://"),
    ("http://host/a", "use debian:, pypi:, go:, go-vendor: or https://"),
    ("file:///etc/passwd", "use debian:, pypi:, go:, go-vendor: or https://"),
    ("a.tar", "use debian:, pypi:, go:, go-vendor: or https://"),
    ("", "use debian:, pypi:, go:, go-vendor: or https://"),
])
def test_a_uri_of_no_form(fetch, uri, form):
    fetch.package("a", uri, file=uri.replace(":", "/").split("/")[-1])
    done = fetch.fails(env={"MIRROR": fetch.mirror()})
    says(done, f"packages/a/a.mk: source {uri}: ", form, "docs/sources.md")
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("uri", ["https://[x/a.tar", "https://x:y/a.tar", "https://user@127.0.0.1:1/a.tar", f"https://{'x' * 300}/a.tar"])
def test_an_address_that_only_the_network_finds_wrong(fetch, uri):
    fetch.package("a", uri)
    says(fetch.fails(), "packages/a/a.mk: cannot fetch a.tar", uri)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "a.tar", "https://host", "https://host/a b"])
def test_an_upstream_that_is_no_url(fetch, url):
    fetch.package("a", upstream=url)
    says(fetch.fails(), f"packages/a/a.mk: upstream {url}: write https://<host>/<path>")


@pytest.mark.parametrize("name", ["", ".", "..", "../a.tar", "/a.tar", ".lock", ".a.tar.part"])
def test_a_name_that_is_not_a_file_s(fetch, name):
    fetch.package("a", file=name)
    says(fetch.fails(env={"MIRROR": fetch.mirror()}), "packages/a/a.mk: source ")


# Clients of the host

def test_debian_mirror(fetch, server):
    """The pool of an archive, as DEBIAN_MIRROR names it."""
    file = "libthing_1.0+dfsg.orig.tar"
    fetch.package("a", f"debian:libthing/{file}", file=file)
    server.files[f"/debian/pool/main/libt/libthing/{file}"] = CONTENT
    done = fetch.does(env={"DEBIAN_MIRROR": f"{server.url}/debian/"})
    assert "from Debian's archive" in done.out
    assert fetch.kept(file).read_bytes() == CONTENT


def test_debian_mirror_that_is_a_folder(fetch):
    """What is kept is a copy, not apt's link to it."""
    fetch.package("a", "debian:thing/thing.tar", file="thing.tar")
    there = fetch.base / "debian/pool/main/t/thing/thing.tar"
    write(there, CONTENT.decode())
    fetch.does(env={"DEBIAN_MIRROR": f"file://{fetch.base}/debian"})
    assert fetch.kept("thing.tar").read_bytes() == CONTENT and not fetch.kept("thing.tar").is_symlink()
    assert there.stat().st_mode & 0o200


def test_no_go(fetch):
    fetch.package("a", "go:example.com/a@v1.0.0", file="a-v1.0.0.zip")
    says(fetch.fails(env={"PATH": "/nonexistent"}), "the Go module proxy: this host has no go command", "MIRROR=")


def go_proxy(folder, module, version):
    """A module in a folder, as GOPROXY=file:// reads it. Returns its zip."""
    at = folder / "".join(f"!{letter.lower()}" if letter.isupper() else letter for letter in module) / "@v"
    write(at / f"{version}.info", json.dumps({"Version": version}))
    write(at / f"{version}.mod", f"module {module}\n")
    with zipfile.ZipFile(at / f"{version}.zip", "w") as made:
        made.writestr(f"{module}@{version}/go.mod", f"module {module}\n")
    return at / f"{version}.zip"


@pytest.mark.skipif(not shutil.which("go"), reason="no go here")
def test_go_module_whatever_the_user_has_set(fetch):
    made = go_proxy(fetch.base / "proxy", "example.com/Some/module", "v1.0.0")
    pin = sha256(made)
    fetch.package("a", "go:example.com/Some/module@v1.0.0", pin, "module-v1.0.0.zip")
    write(fetch.base / "go.mod", "module x\ngo 9.9\n")
    write(fetch.dl / pin / ".work/left/over", "by a run that was killed")
    user = {"GOFLAGS": "-mod=vendor -modfile=/nonexistent.mod", "GO111MODULE": "off", "GOWORK": "/nonexistent", "HOME": "/nonexistent",
            "GOPATH": "/dev/null", "GOMODCACHE": "/dev/null"}
    fetch.does(pin, env=user | {"GOPROXY": f"file://{fetch.base}/proxy", "GOSUMDB": "off"})
    assert fetch.kept("module-v1.0.0.zip", pin).read_bytes() == made.read_bytes()
    assert sorted(path.name for path in (fetch.dl / pin).iterdir()) == [".lock", "module-v1.0.0.zip"]


@pytest.mark.skipif(not shutil.which("go"), reason="no go here")
def test_a_go_module_that_is_not_there(fetch):
    fetch.package("a", "go:example.com/a@v1.0.0", file="a-v1.0.0.zip")
    done = fetch.fails(env={"GOPROXY": f"file://{fetch.base}/proxy", "GOSUMDB": "off"})
    says(done, "the Go module proxy: go: ", "example.com/a@v1.0.0")


def test_go_vendor_gets_the_recipe_s_fields(fetch):
    """As strings or as lists, and the toolchain's zip from the download folder."""
    shutil.copy(fetch.script, fetch.base / "fetch")
    fetch.script = fetch.base / "fetch"
    client(fetch, "../fetch-go-vendor", 'echo "$1 $GO_TOOLCHAIN_ZIP" >$2; env | grep ^recipe_ | LC_ALL=C sort >>$2')
    said = "\n".join((f"packages/a/a.mk {fetch.dl}/0/go.zip", "recipe_go_delete=x y", "recipe_go_modfile=", "recipe_go_replace=p=q r=s",
                      "recipe_go_require=", "recipe_go_sum=", "recipe_module=example.com/a", "recipe_name=a", "recipe_version=1", ""))
    pin = hashlib.sha256(said.encode()).hexdigest()
    fetch.package("a", "go-vendor:a-1.tar.gz", pin, "a-1.tar.gz", module="example.com/a", go_replace=["p=q", "r=s"], go_delete="x y",
                  go_toolchain="0/go.zip")
    fetch.does(pin)
    assert fetch.kept("a-1.tar.gz", pin).read_text() == said


def test_why_a_client_fails_is_in_one_line(fetch):
    fetch.package("a", "go:example.com/a@v1.0.0", file="a-v1.0.0.zip")
    client(fetch, "go", r"echo go: downloading x; echo; printf '  tar:  disk full \xff\n' >&2; exit 3")
    says(fetch.fails(), "the Go module proxy: go: tar: disk full")
    client(fetch, "go", "echo go: first; echo see the manual; exit 3")
    says(fetch.fails(), "the Go module proxy: go: go: first\n")
    client(fetch, "go", "exit 3")
    says(fetch.fails(), "the Go module proxy: go: exit code 3\n")


def test_go_vendor_without_a_toolchain(fetch):
    fetch.package("a", "go-vendor:a-1.tar.gz", file="a-1.tar.gz", module="example.com/a")
    says(fetch.fails(), "fetch-go-vendor: GO_TOOLCHAIN_ZIP must name")


def python_index(server, script):
    """A project `thing` whose build script is this."""
    folder = server.base / "thing-1.0"
    write(folder / "setup.py", script)
    write(folder / "PKG-INFO", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
    with tarfile.open(server.base / "thing.tar.gz", "w:gz") as archive:
        archive.add(folder, "thing-1.0")
    content = (server.base / "thing.tar.gz").read_bytes()
    server.files |= {"/simple/thing/": b'<!DOCTYPE html><html><body><a href="/thing-1.0.tar.gz">thing-1.0.tar.gz</a></body></html>',
                     "/thing-1.0.tar.gz": content}
    server.answers["/simple/thing/"] = lambda handler: (
        handler.head(200, **{"Content-Type": "text/html"}), handler.wfile.write(server.files["/simple/thing/"]))
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def index(fetch, server):
    if not all(importlib.util.find_spec(name) for name in ("pip", "setuptools", "wheel")):
        pytest.skip("no pip, setuptools and wheel here")
    server.base = fetch.base
    fetch.environment |= {"PIP_INDEX_URL": f"{server.url}/simple", "PIP_CONFIG_FILE": "/dev/null"}
    return server


def test_python_project(fetch, index):
    pin = python_index(index, "from setuptools import setup\nsetup(name='thing', version='1.0')\n")
    fetch.package("a", "pypi:thing/thing-1.0.tar.gz", pin, "thing-1.0.tar.gz")
    assert "from the Python index" in fetch.does(pin).out
    assert sha256(fetch.kept("thing-1.0.tar.gz", pin)) == pin


def test_nothing_of_a_wrong_python_project_is_run(fetch, index):
    pin = python_index(index, f"open('{fetch.base}/run', 'w')\nfrom setuptools import setup\nsetup(name='thing', version='1.0')\n")
    fetch.package("a", "pypi:thing/thing-1.0.tar.gz", file="thing-1.0.tar.gz")
    says(fetch.fails(), "the Python index: ", pin)
    assert not (fetch.base / "run").exists()


def needs_archive(folder):
    """Skips a test when Debian's archive, as this machine's apt knows it, is not there."""
    if not shutil.which("apt-get"):
        pytest.skip("no apt here")
    urls = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)dists/$(RELEASE)/InRelease"], capture_output=True, text=True,
                          check=False).stdout.split()
    if not any(downloads(url, folder / "InRelease") for url in sorted(set(urls), key=lambda url: "security" in url)):
        pytest.skip("no Debian archive of apt's answers here")


def downloads(url, path):
    try:
        done = subprocess.run(["/usr/lib/apt/apt-helper", "download-file", url, path], capture_output=True, timeout=60, check=False)
        return done.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def test_gone_from_debian_names_what_is_there(fetch):
    needs_archive(fetch.base)
    fetch.package("a", "debian:zlib/zlib_0.0.1.orig.tar.gz", file="zlib_0.0.1.orig.tar.gz")
    done = fetch.fails(env={name: os.environ.get(name) for name in ("no_proxy", "http_proxy", "https_proxy")})
    says(done, "cannot fetch zlib_0.0.1.orig.tar.gz", "Debian's archive: ", "404", "seen to download now: ", "zlib_1", "docs/sources.md")


# What Make does with it

@pytest.fixture
def online(tree):
    """A package `a` whose source is nowhere yet, and no proxy on the way to loopback."""
    tree.environment |= {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
    tree.pin = tarball(tree.base / "a.tar", {"x": "content\n" * 1000})
    tree.content = (tree.base / "a.tar").read_bytes()
    recipe(tree)
    tree.configure("a")
    return tree


def recipe(tree, **fields):
    tree.package("a", "step_install() { install -D x /out/usr/x; }\n", **{"source": f"{NOWHERE}/a.tar", "sha256": tree.pin} | fields)


def by_hand(tree):
    (tree.dl / tree.pin).mkdir()
    shutil.copy(tree.base / "a.tar", tree.dl / tree.pin)


def test_mirror_folder(online):
    mirror = online.base / "mirror"
    mirror.mkdir()
    shutil.copy(online.base / "a.tar", mirror / online.pin)
    done = online.make("a", env={"MIRROR": str(mirror)})
    assert "FETCH   a.tar" in done.out and "from MIRROR" in done.out
    assert online.out("a", "/usr/x").startswith("content")
    assert sha256(online.dl / online.pin / "a.tar") == online.pin


def test_what_is_there_is_not_fetched_again(online, server):
    by_hand(online)
    online.make("a", env={"MIRROR": server.url})
    assert server.requests == []


def test_wrong_content_everywhere(online, server):
    recipe(online, upstream=f"{server.url}/site/a.tar")
    server.files["/site/a.tar"] = b"something else"
    wrong = online.base / "wrong"
    wrong.write_bytes(b"something else")
    done = online.fails("a")
    says(done, "packages/a/a.mk: cannot fetch a.tar", f"pinned:  {online.pin}", "upstream: what came has another SHA-256", sha256(wrong))
    assert not (online.dl / online.pin / "a.tar").exists()
    assert online.entries("a") == []


def test_several_at_once(online, server):
    """Both requests are under way before either is answered."""
    server.meeting = threading.Barrier(2)
    pins = {name: tarball(online.base / f"{name}.tar", {name: name}) for name in ("b", "c")}
    for name, pin in pins.items():
        online.package(name, source=f"{NOWHERE}/{name}.tar", sha256=pin)
        server.files[f"/{pin}"] = (online.base / f"{name}.tar").read_bytes()
    online.configure(*pins)
    online.make("source", "-j2", env={"MIRROR": server.url})
    assert all((online.dl / pin / f"{name}.tar").exists() for name, pin in pins.items())


def test_source_fetches_everything_and_builds_nothing(online, server):
    pins = [tarball(online.base / name, {name: name}) for name in ("one.tar", "two.tar")]
    recipe(online, source=f"{NOWHERE}/one.tar {NOWHERE}/two.tar", sha256=" ".join(pins))
    for name, pin in zip(("one.tar", "two.tar"), pins, strict=True):
        server.files[f"/{pin}"] = (online.base / name).read_bytes()
    done = online.make("source", env={"MIRROR": server.url})
    assert done.built() == [] and online.entries("a") == []
    assert (online.dl / pins[0] / "one.tar").exists() and (online.dl / pins[1] / "two.tar").exists()


def test_interrupted_fetch_goes_on(online, server):
    path = f"/{online.pin}"
    server.files[path] = online.content
    server.meeting = threading.Barrier(2)  # nobody comes: the request hangs
    make: Running = online.start("source", env={"MIRROR": server.url})
    eventually(lambda: server.requests, "the file was asked for")
    make.signal(2)
    assert make.wait().code != 0
    server.meeting.abort()
    server.meeting = None
    assert not (online.dl / online.pin / "a.tar").exists()
    online.make("source", env={"MIRROR": server.url})
    assert sha256(online.dl / online.pin / "a.tar") == online.pin


def test_one_file_of_two_packages_is_fetched_once(online, server):
    server.files[f"/{online.pin}"] = online.content
    online.package("b", source=f"{NOWHERE}/a.tar", sha256=online.pin)
    online.configure("a", "b")
    online.make("-j2", "a", "b", env={"MIRROR": server.url})
    assert len(server.requests) == 1


def test_two_packages_with_different_files_of_one_name(online, server):
    pin = tarball(online.base / "b/a.tar", {"x": "of b"})
    server.files |= {f"/{online.pin}": online.content, f"/{pin}": (online.base / "b/a.tar").read_bytes()}
    online.package("b", "step_install() { install -D x /out/usr/b; }\n", source=f"{NOWHERE}/b/a.tar", sha256=pin)
    online.configure("a", "b")
    online.make("a", "b", env={"MIRROR": server.url})
    assert online.out("a", "/usr/x").startswith("content") and online.out("b", "/usr/b") == "of b"


def test_a_pin_that_changes_under_one_name(online, server):
    by_hand(online)
    online.make("source")
    pin = tarball(online.base / "a.tar", {"x": "newer"})
    server.files[f"/{pin}"] = (online.base / "a.tar").read_bytes()
    recipe(online, sha256=pin)
    online.make("a", env={"MIRROR": server.url})
    assert online.out("a", "/usr/x") == "newer"


def test_an_interrupted_make_leaves_the_file_of_another(online):
    """Make removes what an interrupted recipe has half made; but this file was made by someone else, and whole."""
    (online.dl / online.pin).mkdir()
    with open(online.dl / online.pin / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make = online.start("source")
        eventually(lambda: "WAIT    a.tar" in (make.folder / "out").read_text(), "make waits for the other one")
        shutil.copy(online.base / "a.tar", online.dl / online.pin)
        make.signal(2)
        assert make.wait().code != 0
    assert (online.dl / online.pin / "a.tar").exists()


def test_a_recipe_that_is_edited_before_its_source_is_fetched(online, server):
    """It is fetched as make had read it when it began; half a recipe broke a make of an hour."""
    online.package("first", "step_build() {\n" + GATE + "}\n")
    online.configure("a", "first")
    server.files[f"/{online.pin}"] = online.content
    make = online.start("-j1", "first", "a", env={"MIRROR": server.url})
    online.awaits("first", "waiting")
    assert server.requests == []
    online.edit("packages/a/a.mk", "version", "versoin")
    online.open_gate("first")
    done = make.wait()
    assert done.code == 0, done.err
    assert server.requests == [(f"/{online.pin}", None)]
    assert online.out("a", "/usr/x").startswith("content")
