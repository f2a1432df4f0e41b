"""What the other processes of a test do with the database; a file of its own, because each of them imports it anew."""

from __future__ import annotations

import multiprocessing
from typing import Any

from hooks.state import State

TOKENS = 200


def take_all(url: str, start: Any, won: Any) -> None:
    """Claim every token, in the same order as the others, as soon as all are there; tell how many were had."""
    start.wait(60)
    state = State(url)
    mine = [n for n in range(TOKENS) if state.first_use("https://ehr.example", f"token-{n}", 2e9)]
    state.close()
    won.put(mine)


def race(url: str, processes: int) -> list[list[int]]:
    """What each process won. The database is empty: they race for making the tables as well."""
    fresh = multiprocessing.get_context("spawn")
    start, won = fresh.Barrier(processes), fresh.Queue()
    racers = [fresh.Process(target=take_all, args=(url, start, won), daemon=True) for _ in range(processes)]
    for racer in racers:
        racer.start()
    results = [won.get(timeout=60) for _ in racers]
    for racer in racers:
        racer.join(60)
        racer.close()
    won.close()
    won.join_thread()
    return results
