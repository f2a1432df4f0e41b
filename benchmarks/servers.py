"""The servers under test as real programs: started, asked for their figures, weighed, and gone at the end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import tokens
from free_port import free_port

CHECKOUT = Path(__file__).resolve().parent.parent
UP_WITHIN = 60
STAGE = re.compile(r'^relapse_cds_stage_seconds_sum\{stage="(\w+)"\} (\S+)$', re.MULTILINE)
STAGES = ("trust", "parse", "gather", "read", "judge", "write")
FLOOR, UNSIGNED, SIGNED = "floor", "hook, no JWT", "hook, JWT"
KINDS = (FLOOR, UNSIGNED, SIGNED)

_without_proxy = build_opener(ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Server:
    kind: str
    workers: int
    port: int
    process: subprocess.Popen[bytes]

    def stages(self) -> dict[str, float]:
        """The seconds of each stage so far, from the service's own /metrics; empty for the floor, which has none."""
        return {} if self.kind == FLOOR else {stage: float(seconds) for stage, seconds in STAGE.findall(self._asked("/metrics"))}

    def memory(self) -> dict[int, int]:
        """Resident bytes of each worker process, by its id. Where the system has no /proc: none."""
        page = os.sysconf("SC_PAGE_SIZE")
        return {int(pid): int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page for pid in self._children() or ()}

    def _children(self) -> list[str] | None:
        told = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return told.read_text().split() if told.exists() else None

    def _asked(self, path: str) -> str:
        with _without_proxy.open(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return answer.read().decode()

    def is_up(self) -> bool:
        """It answers, with every one of its workers; somebody else's answer on its port is not its own."""
        children = self._children()
        if children is not None and len(children) != self.workers:
            return False
        try:
            return "alive" in self._asked("/healthz")
        except OSError:
            return False


@contextmanager
def running(folder: Path, workers: tuple[int, ...], kinds: tuple[str, ...] = KINDS) -> Iterator[dict[tuple[str, int], Server]]:
    """Each kind of server with every number of workers, all up at once: the calls alternate between them."""
    with ExitStack() as stack:
        servers = [stack.enter_context(_started(kind, number, folder)) for number in workers for kind in kinds]
        for server in servers:
            _wait_for(server)
        yield {(server.kind, server.workers): server for server in servers}


@contextmanager
def _started(kind: str, workers: int, folder: Path) -> Iterator[Server]:
    port = free_port()
    said = folder / f"{kind.replace(', ', '-').replace(' ', '-')}-{workers}.log"
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with said.open("wb") as errors:
        command = [sys.executable, *_COMMAND[kind](folder, port, workers)]
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
        try:
            yield Server(kind, workers, port, process)
        except Exception as failed:
            failed.add_note(f"{kind}, {workers} workers, said: {said.read_text()[-2000:] or 'nothing'}")
            raise
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _signed(folder: Path, port: int, workers: int) -> list[str]:
    settings = folder / f"settings-{workers}.toml"
    settings.write_text(tokens.settings(f"sqlite:///{folder}/state-{workers}.sqlite3"), encoding="utf-8")
    return ["-m", "hooks", "serve", "--config", str(settings), "--port", str(port), "--workers", str(workers)]


_COMMAND: dict[str, Callable[[Path, int, int], list[str]]] = {
    FLOOR: lambda folder, port, workers: [str(CHECKOUT / "benchmarks" / "floor.py"), str(port), str(workers)],
    UNSIGNED: lambda folder, port, workers: ["-m", "hooks", "serve", "--dev", "--port", str(port), "--workers", str(workers)],
    SIGNED: _signed,
}


def _wait_for(server: Server) -> None:
    until = time.monotonic() + UP_WITHIN
    while server.process.poll() is None and time.monotonic() < until:
        if server.is_up():
            return
        time.sleep(0.1)
    raise RuntimeError(f"{server.kind} did not come up")

