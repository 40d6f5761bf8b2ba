"""A server on this machine for tests of downloads, which resumes, breaks off, or sends what it is told to."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from steepest.data.named import File, Named

CONTENT = {name: np.random.default_rng(k).bytes(300_000 + k) for k, name in enumerate(("one.bin", "two.bin"))}


class Server(ThreadingHTTPServer):
    """Serves `files` and remembers what was asked for; its behaviour is set by a test."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = dict(CONTENT)
        self.ranges = True  # whether it knows ranges
        self.cut = []  # bytes after which the next answers break off
        self.status = []  # what the next answers are instead
        self.shift = 0  # ranges that begin elsewhere than asked
        self.length = True  # whether it says how much comes
        self.asked = []

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        name, start = self.path.rpartition("/")[2], 0
        wanted = self.headers.get("Range")
        self.server.asked.append((name, wanted))
        if self.server.status:
            self.send_error(self.server.status.pop(0))
            return
        if name not in self.server.files:
            self.send_error(404)
            return
        content = self.server.files[name]
        if wanted and self.server.ranges:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self.send_error(416)
                return
            start = max(start - self.server.shift, 0)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        body = content[start:]
        if self.server.length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.cut:
            body = body[: self.server.cut.pop(0)]
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving():
    """A server while it runs."""
    with Server() as made:
        threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield made
        made.shutdown()


def offered(address, files, algorithm="md5"):
    """The entry of NAMED for files at an address."""
    made = {name: File(len(content), f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}")
            for name, content in files.items()}  # fmt: skip
    return Named("a test", address, made)
