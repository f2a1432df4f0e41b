"""The servers under test as real programs: started, asked for their figures, weighed, and gone at the end."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import tokens

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
        master = self.process.pid
        children = Path(f"/proc/{master}/task/{master}/children")
        if not children.exists():
            return {}
        page = os.sysconf("SC_PAGE_SIZE")
        return {int(pid): int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page for pid in children.read_text().split()}

    def _asked(self, path: str) -> str:
        with _without_proxy.open(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return answer.read().decode()

    def is_up(self) -> bool:
        """It answers, and not only with the first of its workers."""
        try:
            return "alive" in self._asked("/healthz") and len(self.memory()) in (0, self.workers)
        except OSError:
            return False


@contextmanager
def running(folder: Path, workers: tuple[int, ...], kinds: tuple[str, ...] = KINDS) -> Iterator[dict[tuple[str, int], Server]]:
    """Each kind of server with every number of workers, all up at once: the calls alternate between them."""
    with ExitStack() as stack:
        servers = [stack.enter_context(_started(kind, number, folder)) for number in workers for kind in kinds]
        for server in servers:
            _wait_for(server, folder)
        yield {(server.kind, server.workers): server for server in servers}


@contextmanager
def _started(kind: str, workers: int, folder: Path) -> Iterator[Server]:
    port = _free_port()
    said = _log(folder, kind, workers)
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with said.open("wb") as errors:
        command = [sys.executable, *_COMMAND[kind](folder, port, workers)]
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
        try:
            yield Server(kind, workers, port, process)
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


def _wait_for(server: Server, folder: Path) -> None:
    until = time.monotonic() + UP_WITHIN
    while not server.is_up():
        if server.process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"{server.kind} did not come up: {_log(folder, server.kind, server.workers).read_text()[-2000:]}")
        time.sleep(0.1)


def _log(folder: Path, kind: str, workers: int) -> Path:
    return folder / f"{kind.replace(', ', '-').replace(' ', '-')}-{workers}.log"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
