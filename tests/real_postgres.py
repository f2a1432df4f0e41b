"""A real PostgreSQL for the tests: the server of this machine's packages, with an empty cluster in a temporary folder.

It listens on loopback only, trusts whoever comes, never flushes to disk, and is gone at the end.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Iterator

import psycopg

from free_port import free_port
from real_fhir_server import NotInstallable

UP_WITHIN = 60  # seconds; one on an idle machine
USER = "tester"


@dataclass(frozen=True)
class Programs:
    initdb: Path
    postgres: Path


def programs() -> Programs:
    """The newest ones here. Debian keeps them out of PATH, one folder for each version."""
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: float(file.parts[-3]), reverse=True)
    in_path = shutil.which("initdb")
    for initdb in (*packaged, *([Path(in_path)] if in_path else [])):
        if (postgres := initdb.resolve().with_name("postgres")).exists():
            return Programs(initdb, postgres)
    raise NotInstallable("there is no initdb and postgres, neither in PATH nor under /usr/lib/postgresql; install `postgresql`")


class RealPostgres:
    """The running server: its address, databases on it, and the one unkind thing that a test does to it."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log = log
        self._numbers = count(1)

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of an empty one."""
        name = f"test_{next(self._numbers)}"
        self.query(f"CREATE DATABASE {name}")
        return self.url(name)

    def query(self, sql: str, database: str = "postgres") -> list[Any]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            found = connection.execute(sql)
            return found.fetchall() if found.description else []

    def hang_up_on_everybody(self, database: str) -> int:
        """As a restart or a firewall does; how many connections that were."""
        cut = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        return len(self.query(cut))

    def log_tail(self, lines: int = 40) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@contextmanager
def running(programs: Programs) -> Iterator[RealPostgres]:
    folder = Path(tempfile.mkdtemp(prefix="relapse-cds-postgres-"))  # not pytest's own folder, which only its owner may enter
    try:
        with _process(programs, folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _process(programs: Programs, folder: Path) -> Iterator[RealPostgres]:
    somebody = _somebody_else(folder)
    data, log = folder / "data", folder / "server.log"
    made = subprocess.run(
        [programs.initdb, "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=UP_WITHIN, **somebody,
    )  # fmt: skip
    if made.returncode:
        raise RuntimeError(f"initdb failed: {made.stderr}")
    port = free_port()
    settings = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "unix_socket_directories": "", "timezone": "Asia/Seoul"}
    server = RealPostgres(port, log)
    with log.open("wb") as output:
        command = [programs.postgres, "-D", data, "-h", "127.0.0.1", "-p", str(port), *(f"--{key}={value}" for key, value in settings.items())]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, **somebody)
        try:
            _wait_until_it_answers(server, process)
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # "fast": it does not wait for clients to leave
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait(timeout=10)


def _somebody_else(folder: Path) -> dict[str, Any]:
    """How to run it: PostgreSQL refuses to be root, and then wants a folder of its own."""
    if os.geteuid() != 0:
        return {"cwd": folder}
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    account = accounts.get("postgres") or accounts["nobody"]
    os.chown(folder, account.pw_uid, account.pw_gid)
    return {"cwd": folder, "user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _wait_until_it_answers(server: RealPostgres, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + UP_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.query("SELECT 1")
            return
        except psycopg.OperationalError:
            time.sleep(0.05)  # not listening yet
    raise RuntimeError(f"PostgreSQL did not come up within {UP_WITHIN} s. Its output:\n{server.log_tail()}")
