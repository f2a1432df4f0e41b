"""Calls over kept-alive connections, one process, nothing but bytes: the generator must not take the server's cores.

Each connection sends its next call as soon as the last is answered. Every answer is checked for its status and length.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
END_OF_HEAD = b"\r\n\r\n"


class WrongAnswer(RuntimeError):
    """The server did not answer as it should; figures of such calls would mean nothing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run of calls showed, in seconds."""

    latencies: tuple[float, ...]
    seconds: float
    answer: bytes  # the last one's body

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds


def request(path: str, body: bytes, token: str = "") -> bytes:
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"POST {path} HTTP/1.1\r\nHost: benchmark\r\nContent-Type: application/json\r\n{bearer}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def send(port: int, calls: Sequence[bytes], connections: int, within: float = 300) -> Measured:
    """All the calls, shared by so many connections. Ends by itself: after `within` seconds as a failure."""
    return asyncio.run(asyncio.wait_for(_sent(port, calls, connections), within))


async def _sent(port: int, calls: Sequence[bytes], connections: int) -> Measured:
    loop = asyncio.get_running_loop()
    queue, latencies = iter(calls), list[float]()
    opened = [await loop.create_connection(lambda: _Connection(queue, latencies), "127.0.0.1", port) for _ in range(connections)]
    began = time.perf_counter()
    for _, connection in opened:
        connection.next()
    try:
        await asyncio.gather(*(connection.done for _, connection in opened))
        seconds = time.perf_counter() - began
    finally:
        for transport, _ in opened:
            transport.abort()
    return Measured(tuple(latencies), seconds, opened[0][1].answer)


class _Connection(asyncio.Protocol):
    def __init__(self, queue: Iterator[bytes], latencies: list[float]):
        self.queue, self.latencies = queue, latencies
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.received, self.answer, self.began = bytearray(), b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def next(self) -> None:
        call = next(self.queue, None)
        if call is None:
            self.done.set_result(None)
            return
        self.received.clear()
        self.began = time.perf_counter()
        self.transport.write(call)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head = self.received.find(END_OF_HEAD)
        if head < 0 or self.done.done():
            return
        length = LENGTH.search(self.received, 0, head + 2)
        if length is None or self.received[9:12] != b"200":
            self._fail(bytes(self.received[:600]).decode("utf-8", "replace"))
        elif len(self.received) >= head + len(END_OF_HEAD) + int(length[1]):
            self.latencies.append(time.perf_counter() - self.began)
            self.answer = bytes(self.received[head + len(END_OF_HEAD) :])
            self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the server closed the connection ({exc or 'without an error'}), having sent {len(self.received)} bytes of its answer")

    def _fail(self, words: str) -> None:
        if not self.done.done():
            self.done.set_exception(WrongAnswer(words))
