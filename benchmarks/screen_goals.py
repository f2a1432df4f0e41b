"""The goals of the screening, and whether a run met them; of those missed, which stages took the time."""

from __future__ import annotations

from goals import Verdict
from screen_cohorts import IN_SCOPE, POPULATION, TWICE
from screen_rounds import CQL, GREP, ONE, TWO, Cell

TIMES_GREP, PER_SECOND, TIMES_CQL, SECOND_PROCESS = 3.0, 1500, 20, 1.7
MEGABYTES, SAME_MEMORY = 400, 1.1


def verdicts(cells: list[Cell]) -> list[Verdict]:
    of = {(cell.source, cell.what): cell for cell in cells}
    return [
        _times_grep(of[POPULATION, ONE], of[POPULATION, TWO], of[POPULATION, GREP]),
        _per_second(of[IN_SCOPE, ONE]),
        _times_cql(of[IN_SCOPE, ONE], of.get((IN_SCOPE, CQL))),
        *(_two_processes(of[source, ONE], of[source, TWO]) for source in (POPULATION, IN_SCOPE)),
        *_memory(of[POPULATION, TWO], of[TWICE, TWO]),
    ]


def _times_grep(one: Cell, two: Cell, grep: Cell) -> Verdict:
    times = one.seconds / grep.seconds
    found = f"{times:.1f} × ({one.seconds:.1f} and {grep.seconds:.1f} s); with two processes {two.seconds / grep.seconds:.1f} ×"
    return Verdict(f"{one.source}: at most {TIMES_GREP:.0f} × the time of grep (one process)", found, times <= TIMES_GREP, _where(one))


def _per_second(one: Cell) -> Verdict:
    goal = f"{one.source}: at least {PER_SECOND:,} children a second on one core, all criteria"
    return Verdict(goal, f"{one.per_second:,.0f}", one.per_second >= PER_SECOND, _where(one))


def _times_cql(one: Cell, cql: Cell | None) -> Verdict:
    goal = f"{one.source}: at least {TIMES_CQL} × cql-execution with two criteria"
    if cql is None:
        return Verdict(goal, "", None)
    times = one.per_second / cql.per_second
    return Verdict(goal, f"{times:.1f} × ({one.per_second:,.0f} and {cql.per_second:,.0f} a second)", times >= TIMES_CQL, _where(one))


def _two_processes(one: Cell, two: Cell) -> Verdict:
    times = one.seconds / two.seconds
    why = f"one process: {_where(one)}; two: {_where(two)}"
    return Verdict(f"{one.source}: two processes at least {SECOND_PROCESS} × as fast as one", f"{times:.2f} ×", times >= SECOND_PROCESS, why)


def _memory(once: Cell, twice: Cell) -> tuple[Verdict, Verdict]:
    goals = (f"{once.source}: at most {MEGABYTES} MB in all processes together (two and their parent)",
             f"{twice.source}: at most {SAME_MEMORY} × as much")  # fmt: skip
    if not once.peak:
        return Verdict(goals[0], "", None), Verdict(goals[1], "", None)
    times = twice.peak / once.peak
    return (Verdict(goals[0], f"{once.peak:.0f} MB", once.peak <= MEGABYTES),
            Verdict(goals[1], f"{times:.2f} × ({twice.peak:.0f} MB)", times <= SAME_MEMORY))  # fmt: skip


def _where(cell: Cell) -> str:
    return ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in sorted(cell.stages.items(), key=lambda stage: -stage[1]) if seconds >= 0.05)
