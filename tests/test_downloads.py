"""Downloads from a local server: right bytes, wrong bytes, no network, no disk, forty processes at once."""

import contextlib
import errno
import gzip
import hashlib
import http.server
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from helpers.data import downloads
from helpers.data.downloads import DATASETS, Dataset, DataUnavailable, fetch

CONTENT = {"a.gz": b"pictures " * 40_000, "b.gz": b"labels " * 1_000}  # more than one chunk


class Mirror(http.server.ThreadingHTTPServer):
    """Serves CONTENT, packed; `spoil` maps a file to a function of its packed bytes, or to an HTTP status."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, spoil=None):
        super().__init__(("127.0.0.1", 0), Answer)
        self.spoil, self.asked = spoil or {}, []
        self.url = f"http://127.0.0.1:{self.server_port}/"


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.lstrip("/")
        self.server.asked.append(name)
        body = gzip.compress(CONTENT[name], mtime=1)
        spoil = self.server.spoil.get(name, lambda body: body)
        if isinstance(spoil, int):
            return self.send_error(spoil)
        sent = spoil(body)
        self.send_response(200)
        if isinstance(sent, bytes):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # who gave up listens no more
            for piece in [sent] if isinstance(sent, bytes) else sent:
                self.wfile.write(piece)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def mirror(spoil=None):
    server = Mirror(spoil)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def tiny(*mirrors, hash_of="content"):
    pack = {"content": lambda b: b, "file": lambda b: gzip.compress(b, mtime=1)}[hash_of]
    sha256 = {name: hashlib.sha256(pack(content)).hexdigest() for name, content in CONTENT.items()}
    return Dataset("Tiny", "tiny", 0.4, "none", "none", mirrors, hash_of, sha256)


def tree(folder):
    """What a cache holds, but for the lock: path -> bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in Path(folder).rglob("*")
            if p.is_file() and p.suffix != ".lock"}


def no_mirror():
    with socket.socket() as s:  # a port that was free a moment ago: connections are refused
        s.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{s.getsockname()[1]}/"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def use(monkeypatch):
    return lambda dataset: monkeypatch.setitem(DATASETS, "tiny", dataset)


# The table.


def test_every_dataset_has_two_mirrors_and_checksums():
    assert set(DATASETS) == {"mnist", "fashion_mnist", "cifar10", "multi30k", "tatoeba"}
    for dataset in DATASETS.values():
        hosts = {url.split("/")[2] for url in dataset.mirrors}
        assert len(hosts) >= 2 and all(url.endswith("/") for url in dataset.mirrors)
        assert dataset.licence and dataset.citation and dataset.megabytes > 0
        assert dataset.hash_of in ("content", "file")
        assert all(len(h) == 64 and int(h, 16) for h in dataset.sha256.values())


def test_unknown_name_lists_the_known_ones(cache):
    with pytest.raises(ValueError, match="'imagenet'.*mnist.*cifar10.*tatoeba"):
        fetch("imagenet")


# Getting a file.


@pytest.mark.parametrize("hash_of", ["content", "file"])
def test_download_is_kept_and_not_asked_for_again(cache, use, hash_of, capfd):
    with mirror() as server:
        use(tiny(server.url, hash_of=hash_of))
        paths = fetch("tiny")
        assert {name: downloads.read(path) for name, path in paths.items()} == CONTENT
        assert fetch("tiny") == paths
        assert server.asked == ["a.gz", "b.gz"]
        assert downloads.at_hand("tiny")
        paths["a.gz"].unlink()
        assert not downloads.at_hand("tiny") and server.asked == ["a.gz", "b.gz"]
        fetch("tiny")
    assert set(tree(cache)) == {"tiny/a.gz", "tiny/b.gz"}
    assert "a.gz: 100%" in capfd.readouterr().err


def test_cached_files_need_neither_network_nor_lock(cache, use):
    with mirror() as server:
        use(tiny(server.url))
        fetch("tiny")
    (cache / "tiny.lock").unlink()
    fetch("tiny")
    assert not (cache / "tiny.lock").exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body[: len(body) // 2],  # truncated: the connection closes early
        lambda body: body[:-9] + bytes([body[-9] ^ 1]) + body[-8:],  # one bit
        lambda body: gzip.compress(b"other content")[: len(body)].ljust(len(body), b"\0"),
        lambda body: b"<html>" + b" " * (len(body) - 6),  # an error page
        404,
        503,
    ],
    ids=["truncated", "altered", "other", "html", "404", "503"],
)
def test_a_bad_mirror_is_passed_over_and_alone_is_an_error(cache, use, spoil):
    with mirror({"b.gz": spoil}) as bad, mirror() as good:
        use(tiny(bad.url))
        with pytest.raises(DataUnavailable, match="(?s)Tiny.*no mirror gave b.gz.*COURSE_DATA") as error:
            fetch("tiny")
        assert bad.url in str(error.value)
        assert set(tree(cache)) == {"tiny/a.gz"}  # what was right is kept, nothing else is left
        use(tiny(bad.url, good.url))
        fetch("tiny")
        assert good.asked == ["b.gz"]


def test_no_network_leaves_no_trace(cache, use):
    urls = no_mirror(), no_mirror()
    use(tiny(*urls))
    with pytest.raises(DataUnavailable, match="(?s)no connection.*no connection.*Check the network") as error:
        fetch("tiny")
    assert all(url in str(error.value) for url in urls)
    assert tree(cache) == {} and not (cache / "tiny").exists()


def test_a_silent_mirror_is_given_up(cache, use, monkeypatch):
    monkeypatch.setattr(downloads, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, mirror() as good:
        use(tiny(f"http://127.0.0.1:{silent.getsockname()[1]}/"))
        with pytest.raises(DataUnavailable, match="no answer in 0.2 seconds"):
            fetch("tiny")
        use(tiny(f"http://127.0.0.1:{silent.getsockname()[1]}/", good.url))
        fetch("tiny")


def drip(body):
    """A byte every hundredth of a second: never silent for long."""
    for i in range(len(body)):
        time.sleep(0.01)
        yield body[i : i + 1]


def flood(body):
    while True:
        yield b"x" * 100_000


@pytest.mark.parametrize(("spoil", "reason"), [(drip, "too slow: [0-9,]+ bytes in 1 s"), (flood, "more than 0.8 MB")])
def test_a_mirror_that_never_ends_is_given_up(cache, use, monkeypatch, spoil, reason):
    monkeypatch.setattr(downloads, "TIMEOUT", 0.4)
    monkeypatch.setattr(downloads, "SLOWEST", 2e6)
    with mirror({"a.gz": spoil}) as bad, mirror() as good:
        use(tiny(bad.url))
        began = time.monotonic()
        with pytest.raises(DataUnavailable, match=reason):
            fetch("tiny")
        assert time.monotonic() - began < 20 and tree(cache) == {}
        use(tiny(bad.url, good.url))
        assert downloads.read(fetch("tiny")["a.gz"]) == CONTENT["a.gz"]


def test_a_damaged_cached_file_is_replaced_only_by_a_right_one(cache, use):
    with mirror() as server:
        use(tiny(server.url))
        path = fetch("tiny")["a.gz"]
        path.write_bytes(b"damaged")
        before = tree(cache)
        server.spoil["a.gz"] = lambda body: body[:10]
        with pytest.raises(DataUnavailable):
            fetch("tiny")
        assert tree(cache) == before
        server.spoil.clear()
        assert downloads.read(fetch("tiny")["a.gz"]) == CONTENT["a.gz"]


def test_what_a_killed_process_left_is_overwritten(cache, use):
    (cache / "tiny").mkdir(parents=True)
    (cache / "tiny" / "a.gz.part").write_bytes(b"half a file" * 100_000)
    with mirror() as server:
        use(tiny(server.url))
        fetch("tiny")
    assert set(tree(cache)) == {"tiny/a.gz", "tiny/b.gz"}


# The disk.


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_disk_error_while_writing(cache, use, monkeypatch, code):
    def full(*arguments):
        yield b"the first part"
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(downloads, "_pieces", full)
    use(tiny("http://127.0.0.1/"))
    with pytest.raises(DataUnavailable, match=f"{os.strerror(code)}.*set COURSE_CACHE"):
        fetch("tiny")
    assert tree(cache) == {} and not (cache / "tiny").exists()


@contextlib.contextmanager
def small_disk(folder, options):
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("no mount command")
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(("options", "why"), [("size=4k", "No space left"), ("ro", "Read-only file system")])
def test_a_real_full_or_read_only_disk(tmp_path, cache, use, monkeypatch, options, why):
    monkeypatch.setitem(CONTENT, "a.gz", os.urandom(100_000))
    with small_disk(tmp_path / "disk", options) as disk, mirror() as server:
        monkeypatch.setenv("COURSE_CACHE", str(disk))
        use(tiny(server.url))
        with pytest.raises(DataUnavailable, match=f"{why}.*set COURSE_CACHE"):
            fetch("tiny")
        assert tree(disk) == {}


def test_a_cache_that_is_a_file(cache, use):
    cache.write_text("not a folder")
    use(tiny("http://127.0.0.1/"))
    with pytest.raises(DataUnavailable, match="set COURSE_CACHE"):
        fetch("tiny")
    assert cache.read_text() == "not a folder"


# COURSE_DATA.


def test_course_data_is_used_and_the_network_is_not(tmp_path, cache, use, monkeypatch):
    (tmp_path / "given" / "tiny").mkdir(parents=True)
    for name, content in CONTENT.items():  # packed otherwise than the mirrors do: the content counts
        (tmp_path / "given" / "tiny" / name).write_bytes(gzip.compress(content, 1, mtime=7))
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "given"))
    with mirror() as server:
        use(tiny(server.url))
        assert {name: downloads.read(path) for name, path in fetch("tiny").items()} == CONTENT
        assert downloads.at_hand("tiny") and server.asked == [] and not cache.exists()


def test_a_relative_course_data_starts_at_the_root(tmp_path, cache, use, monkeypatch):
    (tmp_path / "given" / "tiny").mkdir(parents=True)
    for name, content in CONTENT.items():
        (tmp_path / "given" / "tiny" / name).write_bytes(gzip.compress(content))
    use(tiny("http://127.0.0.1:9"))
    monkeypatch.setattr(downloads, "ROOT", tmp_path)
    monkeypatch.setenv("COURSE_DATA", "given")
    monkeypatch.chdir(cache.parent)
    assert set(fetch("tiny")) == set(CONTENT)


@pytest.mark.parametrize(("spoil", "fault"), [
    (lambda path: path.unlink(), "missing"),
    (lambda path: path.write_bytes(path.read_bytes()[:20]), "damaged"),
    (lambda path: path.write_bytes(gzip.compress(b"other")), "another version"),
])
def test_course_data_missing_or_damaged(tmp_path, cache, use, monkeypatch, spoil, fault):
    (tmp_path / "given" / "tiny").mkdir(parents=True)
    for name, content in CONTENT.items():
        (tmp_path / "given" / "tiny" / name).write_bytes(gzip.compress(content))
    spoil(tmp_path / "given" / "tiny" / "b.gz")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "given"))
    with mirror() as server:
        use(tiny(server.url))
        with pytest.raises(DataUnavailable, match=rf"given/tiny/b.gz is .*{fault}.*unset COURSE_DATA"):
            fetch("tiny")
        assert server.asked == []


# Forty at once.

FORTY = """
import multiprocessing, sys
from helpers.data import downloads
downloads.DATASETS["tiny"] = downloads.Dataset(*{fields!r})

def ask(barrier, results):
    barrier.wait()
    paths = downloads.fetch("tiny")
    results.put([len(downloads.read(path)) for path in paths.values()])

context = multiprocessing.get_context("fork")
barrier, results = context.Barrier(40), context.SimpleQueue()
processes = [context.Process(target=ask, args=(barrier, results)) for _ in range(40)]
for process in processes: process.start()
for process in processes: process.join()
assert all(process.exitcode == 0 for process in processes)
print([results.get() for _ in processes])
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
def test_forty_processes_ask_at_once_and_one_downloads(cache):
    with mirror() as server:
        d = tiny(server.url)
        fields = (d.title, d.folder, d.megabytes, d.licence, d.citation, d.mirrors, d.hash_of, d.sha256)
        command = [sys.executable, "-c", FORTY.format(fields=fields)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == str([[len(content) for content in CONTENT.values()]] * 40)
        assert server.asked == ["a.gz", "b.gz"]
    assert set(tree(cache)) == {"tiny/a.gz", "tiny/b.gz"}
