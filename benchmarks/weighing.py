"""Does the memory of the workers stay flat? Their resident size during many calls, most of them about other children."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from hook_bodies import Call
from load import WrongAnswer, send
from rounds import one_request
from servers import Server

SLICES = 50
CONNECTIONS = 16
FLAT = 1.05  # the end, compared with the end of the first tenth, when every worker has seen everything
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Weighed:
    """The largest worker's resident megabytes: before, after each slice. Empty where the system does not tell."""

    calls: int
    seconds: float
    sizes: tuple[float, ...]

    @property
    def warm(self) -> float:
        return self.sizes[1 + len(self.sizes) // 10]

    @property
    def growth(self) -> float:
        return self.sizes[-1] / self.warm


def weigh(server: Server, usual: Call, others: tuple[Call, ...], calls: int, told: Callable[[str], None]) -> Weighed:
    """Of a hundred calls, three are each of the others; the order is steady."""
    chance, began = random.Random(calls), time.perf_counter()
    first = server.memory()
    sizes = [_largest(first)]
    for number in range(SLICES):
        share = calls * (number + 1) // SLICES - calls * number // SLICES
        chosen = chance.choices((usual, *others), (100 - 3 * len(others), *(3 for _ in others)), k=share)
        if chosen:
            send(server.port, [one_request(call, server) for call in chosen], CONNECTIONS)
        now = server.memory()
        if now.keys() != first.keys():
            raise WrongAnswer("a worker was replaced during the memory run; the size of its successor proves nothing")
        sizes.append(_largest(now))
        if number % 10 == 9:
            told(f"memory: {calls * (number + 1) // SLICES:,} calls, {sizes[-1] or 0:.1f} MB")
    return Weighed(calls, time.perf_counter() - began, tuple(size for size in sizes if size is not None))


def _largest(sizes: dict[int, int]) -> float | None:
    return max(sizes.values(), default=0) / MEGABYTE or None
