"""A TCP proxy that cuts, freezes and slows down what passes through it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time


class Proxy:
    """`mode` is `pass`, `refuse` (new connections are closed), `freeze` (nothing passes, nothing closes) or `slow`."""

    def __init__(self, target: int) -> None:
        self.mode = "pass"
        self.delay, self.burst = 0.05, 1
        """When slow: seconds between so many bytes each."""
        self.cut_after: int | None = None
        """Bytes from the server after which the next connection is cut, once."""
        self.cut_at = b""
        """Words of the client at which the connection is cut, once."""
        self.words_arrive = True
        """Whether the server still gets these words: then only its answer is lost."""
        self._target = target
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self.mode == "refuse":
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._pairs.append((client, server))
            for source, sink, down in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pump, args=(source, sink, down), name="proxy-pump", daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, down: bool) -> None:
        passed = 0
        while True:
            try:
                data = source.recv(self.burst if self.mode == "slow" else 65536)
                while self.mode == "freeze":
                    time.sleep(0.02)
                if self.mode == "slow":
                    time.sleep(self.delay)
                if down and self.cut_after is not None and passed + len(data) > self.cut_after:
                    sink.sendall(data[: max(0, self.cut_after - passed)])
                    self.cut_after = None
                    data = b""
                at_the_words = bool(not down and self.cut_at and self.cut_at in data)
                if at_the_words:
                    self.cut_at = b""
                    data = data if self.words_arrive else b""
                if not data:
                    break
                sink.sendall(data)
                if at_the_words:
                    time.sleep(0.2)  # the server does what it was told
                    break
                passed += len(data)
            except OSError:
                break
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def cut(self) -> None:
        """Close every connection that is open now."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for each in pair:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        self.mode = "pass"
        self.cut()
