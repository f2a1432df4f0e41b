"""Sockets that know the deadline of the hook call.

The read timeout of `requests` starts anew with every byte, so a server that drips one byte a second is never too slow
for it, not even in the middle of its headers. Here every single read gets only what remains of the whole deadline.

Two waits stay outside our reach, both short: the resolver's own timeout, and a host name with several dead addresses,
which are tried one after the other.
"""

from __future__ import annotations

import io
import socket
from functools import partial
from http.client import HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from hooks.deadline import Deadline


class DeadlineAdapter(HTTPAdapter):
    """The transport to mount on a `requests` session that lives for one hook call."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        reply = partial(_TimedReply, self._deadline)  # what these connections build to read a reply with
        http = type("TimedHTTPConnection", (HTTPConnection,), {"response_class": reply})
        https = type("TimedHTTPSConnection", (HTTPSConnection,), {"response_class": reply})
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("TimedHTTPPool", (HTTPConnectionPool,), {"ConnectionCls": http}),
            "https": type("TimedHTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": https}),
        }


class _TimedReply(HTTPResponse):
    """A reply whose status line, headers and body are all read against the deadline."""

    def __init__(self, deadline: Deadline, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_TimedStream(self.fp.detach(), sock, deadline))


class _TimedStream(io.RawIOBase):
    def __init__(self, stream: io.RawIOBase, sock: socket.socket, deadline: Deadline) -> None:
        self._stream, self._sock, self._deadline = stream, sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._deadline.remaining()
        if not remaining:  # a timeout of 0 would mean "do not block", not "too late"
            raise TimeoutError
        self._sock.settimeout(remaining)
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()
