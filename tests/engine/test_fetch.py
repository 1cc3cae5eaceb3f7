"""Where sources come from: MIRROR, upstream, Debian's archive. Served by a folder, or by a server on loopback."""

import http.server
import shutil
import socket
import subprocess
import threading
import urllib.parse

import pytest

from .test_errors import says
from .tree import LIMIT, Running, eventually, sha256, tarball

NOWHERE = "https://127.0.0.1:1"  # nobody listens there


class Server(http.server.ThreadingHTTPServer):
    """Serves a dictionary path -> bytes, with Range, and keeps what was asked for."""

    daemon_threads = True

    def __init__(self):
        self.files, self.requests = {}, []
        self.cut = {}       # path -> after how many bytes the first answer breaks off
        self.meeting = None  # a barrier that every request waits at
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

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
        content = server.files.get(path)
        if content is None:
            return self.send_error(404)
        first = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        if asked and first >= len(content):
            return self.send_error(416)
        body = content[first:]
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:server.cut.pop(path, None)])

    def log_message(self, *words):
        pass


@pytest.fixture
def server():
    with Server() as started:
        yield started
        started.shutdown()


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


def test_mirror_folder(online):
    mirror = online.base / "mirror"
    mirror.mkdir()
    shutil.copy(online.base / "a.tar", mirror / online.pin)
    done = online.make("a", env={"MIRROR": str(mirror)})
    assert "FETCH   a.tar" in done.out and "from MIRROR" in done.out
    assert online.out("a", "/usr/x").startswith("content")
    assert sha256(online.dl / "a.tar") == online.pin


@pytest.mark.parametrize("slash", ["", "/"])
def test_mirror_url(online, server, slash):
    server.files[f"/mirror/{online.pin}"] = online.content
    online.make("source", env={"MIRROR": f"{server.url}/mirror{slash}"})
    assert sha256(online.dl / "a.tar") == online.pin
    assert server.requests == [(f"/mirror/{online.pin}", None)]


def test_what_is_there_is_not_fetched_again(online, server):
    shutil.copy(online.base / "a.tar", online.dl)
    online.make("a", env={"MIRROR": server.url})
    assert server.requests == []


def test_upstream_url_after_the_mirror(online, server):
    recipe(online, upstream=f"{server.url}/site/a.tar")
    server.files["/site/a.tar"] = online.content
    done = online.make("source", env={"MIRROR": f"{server.url}/mirror"})
    assert "from upstream" in done.out
    assert [path for path, _ in server.requests] == [f"/mirror/{online.pin}", "/site/a.tar"]


def test_wrong_content_of_a_mirror_is_not_taken(online, server):
    """The next place is asked, and nothing wrong is left."""
    recipe(online, upstream=f"{server.url}/site/a.tar")
    server.files = {f"/{online.pin}": b"something else", "/site/a.tar": online.content}
    done = online.make("source", env={"MIRROR": server.url})
    assert "from upstream" in done.out
    assert sha256(online.dl / "a.tar") == online.pin


def test_wrong_content_everywhere(online, server):
    recipe(online, upstream=f"{server.url}/site/a.tar")
    server.files["/site/a.tar"] = b"something else"
    wrong = online.base / "wrong"
    wrong.write_bytes(b"something else")
    done = online.fails("a")
    says(done, "packages/a/a.mk: cannot fetch a.tar", f"pinned:  {online.pin}", "upstream: what came has another SHA-256", sha256(wrong))
    assert not [path.name for path in online.dl.iterdir() if "a.tar" in path.name]
    assert online.entries("a") == []


def test_a_pin_of_zeros_tells_the_hash(online, server):
    recipe(online, upstream=f"{server.url}/site/a.tar", sha256="0" * 64)
    server.files["/site/a.tar"] = online.content
    says(online.fails("a"), online.pin)


def test_error_lists_every_place(online, server):
    recipe(online, upstream=f"{server.url}/site/a.tar")
    done = online.fails("source", env={"MIRROR": f"{server.url}/mirror"})
    says(done, "packages/a/a.mk: cannot fetch a.tar", f"pinned:  {online.pin}", "MIRROR: HTTP 404", "upstream: HTTP 404",
         f"{NOWHERE}/a.tar: ", "refused", "set MIRROR=")


def test_error_of_a_mirror_folder(online):
    done = online.fails("source", env={"MIRROR": "/nonexistent"})
    says(done, f"MIRROR: no {online.pin}")


@pytest.mark.parametrize("uri", ["ftp://example.invalid/a.tar", "http://127.0.0.1:1/a.tar", "a.tar"])
def test_unknown_kind_of_source(online, uri):
    recipe(online, source=uri)
    says(online.fails("source"), "packages/a/a.mk", uri)


def test_partial_download_goes_on(online, server):
    """As an interrupted fetch left it."""
    (online.dl / ".a.tar.part").write_bytes(online.content[:5000])
    server.files[f"/{online.pin}"] = online.content
    online.make("source", env={"MIRROR": server.url})
    assert server.requests == [(f"/{online.pin}", "bytes=5000-")]
    assert sha256(online.dl / "a.tar") == online.pin
    assert not (online.dl / ".a.tar.part").exists()


def test_whole_partial_download_is_taken(online, server):
    (online.dl / ".a.tar.part").write_bytes(online.content)
    server.files[f"/{online.pin}"] = online.content
    online.make("source", env={"MIRROR": server.url})
    assert sha256(online.dl / "a.tar") == online.pin


def test_spoilt_partial_download_is_given_up(online, server):
    """Rubbish at its start must not make a file impossible to fetch."""
    (online.dl / ".a.tar.part").write_bytes(b"x" * 5000)
    server.files[f"/{online.pin}"] = online.content
    online.make("source", env={"MIRROR": server.url})
    assert sha256(online.dl / "a.tar") == online.pin


def test_connection_that_breaks_is_gone_on_with(online, server):
    """At once, or when make is run again: but what came is not thrown away."""
    path = f"/{online.pin}"
    server.files[path] = online.content
    server.cut[path] = 5000
    first = online.run("source", env={"MIRROR": server.url})
    if first.code:
        says(first, "5000")
        online.make("source", env={"MIRROR": server.url})
    assert server.requests == [(path, None), (path, "bytes=5000-")]
    assert sha256(online.dl / "a.tar") == online.pin


def test_several_at_once(online, server):
    """Both requests are under way before either is answered."""
    server.meeting = threading.Barrier(2)
    names = ("b", "c")
    for name in names:
        pin = tarball(online.base / f"{name}.tar", {name: name})
        online.package(name, source=f"{NOWHERE}/{name}.tar", sha256=pin)
        server.files[f"/{pin}"] = (online.base / f"{name}.tar").read_bytes()
    online.configure(*names)
    online.make("source", "-j2", env={"MIRROR": server.url})
    assert all((online.dl / f"{name}.tar").exists() for name in names)


def test_source_fetches_everything_and_builds_nothing(online, server):
    pins = [tarball(online.base / name, {name: name}) for name in ("one.tar", "two.tar")]
    recipe(online, source=f"{NOWHERE}/one.tar {NOWHERE}/two.tar", sha256=" ".join(pins))
    for name, pin in zip(("one.tar", "two.tar"), pins, strict=True):
        server.files[f"/{pin}"] = (online.base / name).read_bytes()
    done = online.make("source", env={"MIRROR": server.url})
    assert done.built() == [] and online.entries("a") == []
    assert (online.dl / "one.tar").exists() and (online.dl / "two.tar").exists()


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
    assert not (online.dl / "a.tar").exists()
    online.make("source", env={"MIRROR": server.url})
    assert sha256(online.dl / "a.tar") == online.pin


def test_one_file_of_two_packages_is_fetched_once(online, server):
    server.files[f"/{online.pin}"] = online.content
    online.package("b", source=f"{NOWHERE}/a.tar", sha256=online.pin)
    online.configure("a", "b")
    online.make("-j2", "a", "b", env={"MIRROR": server.url})
    assert len(server.requests) == 1


def test_debian_mirror(online, server):
    """The pool of an archive, as DEBIAN_MIRROR names it."""
    recipe(online, source="debian:libthing/libthing_1.0+dfsg.orig.tar")
    server.files["/debian/pool/main/libt/libthing/libthing_1.0+dfsg.orig.tar"] = online.content
    done = online.make("source", env={"DEBIAN_MIRROR": f"{server.url}/debian/"})
    assert "from Debian's archive" in done.out
    assert sha256(online.dl / "libthing_1.0+dfsg.orig.tar") == online.pin


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


def test_gone_from_debian_names_what_is_there(online):
    needs_archive(online.base)
    recipe(online, source="debian:zlib/zlib_0.0.1.orig.tar.gz")
    done = online.fails("source")
    says(done, "cannot fetch zlib_0.0.1.orig.tar.gz", "Debian's archive: ", "404", "seen to download now: ", "zlib_1", "docs/sources.md")


def test_a_refused_connection_is_not_an_endless_wait(online):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        done = online.fails("source", env={"MIRROR": f"http://127.0.0.1:{taken.getsockname()[1]}"})
    says(done, "MIRROR: ", "refused")
