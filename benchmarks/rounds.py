"""What is measured, and in which order: every cell once in each round, each round the other way about.

A cell is one call on one server over so many connections. Its number of calls is settled while warming up and is the
same in every round; its tokens are made before the clock starts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import fmean, median

import tokens
from hook_bodies import Call
from load import Measured, WrongAnswer, request, send
from servers import FLOOR, KINDS, SIGNED, STAGES, Server

PATH = "/cds-services/nct05827549-patient-view"
MOST_CALLS, FEWEST_CALLS = 3000, 3  # in one round
TOO_LARGE_TO_QUEUE = 2000  # resources; sixteen such calls at once would only measure how they wait for each other


@dataclass
class Cell:
    """One row of the table. All times in milliseconds."""

    call: Call
    server: Server
    connections: int
    calls: int = 0
    rounds: list[Measured] = field(default_factory=list)
    stage_seconds: dict[str, float] = field(default_factory=dict)  # of all rounds together

    @property
    def medians(self) -> list[float]:
        return [median(measured.latencies) * 1000 for measured in self.rounds]

    @property
    def median(self) -> float:
        return median(self.medians)

    @property
    def p99(self) -> float:
        """Of the calls of all rounds together."""
        every = sorted(latency for measured in self.rounds for latency in measured.latencies)
        return every[min(len(every) - 1, int(len(every) * 0.99))] * 1000

    @property
    def per_second(self) -> float:
        return median(measured.per_second for measured in self.rounds)

    @property
    def stages(self) -> dict[str, float]:
        """Of one call, on average."""
        calls = sum(len(measured.latencies) for measured in self.rounds)
        return {stage: self.stage_seconds.get(stage, 0) * 1000 / calls for stage in STAGES}

    @property
    def rest(self) -> float:
        """What no stage accounts for: HTTP, reading the body, the log line, the row about the card, the answer."""
        return fmean(latency for measured in self.rounds for latency in measured.latencies) * 1000 - sum(self.stages.values())

    def requests(self, number: int) -> list[bytes]:
        return [one_request(self.call, self.server) for _ in range(number)]

    def warm_up(self, seconds: float) -> None:
        """Every worker has seen such calls; and how many of them fill so many seconds."""
        answered = send(self.server.port, self.requests(max(2 * self.server.workers, self.connections)), self.connections)
        if self.server.kind != FLOOR and len(json.loads(answered.answer)["cards"]) != self.call.cards:
            raise WrongAnswer(f"{self.call.name}: {self.call.cards} cards expected")
        fitting = int(answered.per_second * seconds)
        self.calls = max(FEWEST_CALLS, self.connections, min(MOST_CALLS, fitting))

    def measure(self) -> None:
        before = self.server.stages()
        self.rounds.append(send(self.server.port, self.requests(self.calls), self.connections))
        for stage, seconds in self.server.stages().items():
            self.stage_seconds[stage] = self.stage_seconds.get(stage, 0) + seconds - before.get(stage, 0)


def one_request(call: Call, server: Server) -> bytes:
    return request(PATH, call.body, tokens.token(PATH) if server.kind == SIGNED else "")


def cells(servers: dict[tuple[str, int], Server], calls: Iterable[Call], workers: tuple[int, ...], connections: tuple[int, ...]) -> list[Cell]:
    return [
        Cell(call, servers[kind, number], open_at_once)
        for call in calls for number in workers for open_at_once in connections for kind in KINDS
        if open_at_once == 1 or call.resources < TOO_LARGE_TO_QUEUE
    ]  # fmt: skip


def run(measured: list[Cell], rounds: int, seconds: float, told: Callable[[str], None]) -> None:
    for cell in measured:
        cell.warm_up(seconds)
    for number in range(rounds):
        told(f"round {number + 1} of {rounds}")
        for cell in measured if number % 2 == 0 else reversed(measured):
            cell.measure()
