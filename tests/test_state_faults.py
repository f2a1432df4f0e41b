"""A database that is away, wrong or in use: one plain sentence that betrays nothing, and work goes on as soon as it can."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hooks.state import State, StateError

EHR = "https://ehr.example"


def fault(call):
    """The sentence; nothing of what the driver said is printed with it."""
    with pytest.raises(StateError) as told:
        call()
    assert told.value.__context__ is None or told.value.__suppress_context__
    text = str(told.value)
    assert "geheim" not in text.lower() and "zwetschge" not in text.lower(), text
    assert "\n" not in text and len(text) > 20
    return text


@pytest.mark.parametrize("url", [
    "", "geheim", "postgresql", "mysql://u:geheim@h/d", "sqlite://geheim/x", "postgresql+asyncpg://u:geheim@h/d", "postgresql://u:geheim@h:port/d",
    "oracle://geheim", "geheim://", "sqlite+aiosqlite:///geheim", "\0geheim", "postgresql://u:geheim@[::1/d",
])  # fmt: skip
def test_an_address_that_is_none(url):
    assert "sqlite:///FILE or postgresql://" in fault(lambda: State(url))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_server_that_is_not_there(scheme):
    state = State(f"{scheme}://zwetschge:geheim@127.0.0.1:1/geheim")
    for call in (state.check, lambda: state.first_use(EHR, "Zwetschge", 2e9), state.summary):
        assert "cannot be reached" in fault(call)


def test_a_password_with_an_at_sign_is_not_taken_for_a_host():
    fault(State("postgresql://u:geheim@geheim2@127.0.0.1:1/d").check)


def test_a_database_of_another_name_or_user(postgres_server):
    fault(State(postgres_server.url("geheim")).check)
    fault(State(f"postgresql://geheim@127.0.0.1:{postgres_server.port}/postgres").check)


def test_a_server_that_hung_up_is_called_again(postgres_server, postgres):
    state = State(postgres)
    assert state.first_use(EHR, "a", 2e9)
    for round in range(2):
        assert postgres_server.hang_up_on_everybody(postgres.rpartition("/")[2]) >= 1
        assert not state.first_use(EHR, "a", 2e9) and state.first_use(EHR, f"b{round}", 2e9)
    state.close()


def test_a_user_who_may_not_create_tables(postgres_server, postgres):
    """They may be made by somebody else."""
    database = postgres.rpartition("/")[2]
    reader = f"reader_of_{database}"
    postgres_server.query(f"CREATE ROLE {reader} LOGIN", database)
    postgres_server.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC", database)
    state = State(postgres.replace("tester", reader))
    assert "does not let our user" in fault(state.check)
    owner = State(postgres)
    owner.check()
    owner.close()
    assert "does not let our user" in fault(state.check)
    postgres_server.query(f"GRANT SELECT, INSERT, DELETE ON replays, cards, feedback, visits TO {reader}", database)
    state.check()
    assert state.first_use(EHR, "a", 2e9) and state.summary() == ()
    state.close()


def test_tables_of_another_program(postgres_server, postgres):
    postgres_server.query("CREATE TABLE replays (x int)", postgres.rpartition("/")[2])
    state = State(postgres)
    assert "not those of this version" in fault(state.check)
    state.close()


def test_a_folder_that_is_not_there(tmp_path):
    state = State(f"sqlite:///{tmp_path}/nowhere/x.sqlite3")
    assert "folder" in fault(state.check)
    (tmp_path / "nowhere").mkdir()
    state.check()
    state.close()


@pytest.mark.parametrize("content", [b"this is no database at all, geheim" * 50])
def test_a_file_that_is_no_database(tmp_path, content):
    (tmp_path / "x.sqlite3").write_bytes(content)
    assert "not an SQLite database" in fault(State(f"sqlite:///{tmp_path}/x.sqlite3").check)


def test_a_file_that_somebody_holds(tmp_path, monkeypatch):
    monkeypatch.setattr("hooks.state.database.PATIENCE", 0.2)
    state = State(f"sqlite:///{tmp_path}/x.sqlite3")
    state.check()
    other = sqlite3.connect(tmp_path / "x.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert state.summary() == (), "readers do not wait for a writer"
    assert "locked" in fault(lambda: state.first_use(EHR, "Zwetschge", 2e9))
    other.execute("ROLLBACK")
    assert state.first_use(EHR, "Zwetschge", 2e9)
    other.close()
    state.close()


@pytest.mark.parametrize("hold", ["EXCLUSIVE", "IMMEDIATE"])
def test_a_file_that_somebody_else_is_just_making(tmp_path, hold):
    """SQLite itself does not wait for its turn to write ahead; when several workers start at once, one of them would fail."""
    other = sqlite3.connect(tmp_path / "x.sqlite3", isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE theirs (x)")
    other.execute(f"BEGIN {hold}")
    done = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    done.start()
    state = State(f"sqlite:///{tmp_path}/x.sqlite3")
    state.check()
    done.join()
    other.close()
    state.close()


def test_the_file_is_written_ahead_and_not_opened_before_it_is_needed(tmp_path):
    file = tmp_path / "x.sqlite3"
    state = State(f"sqlite:///{file}")
    assert state.file == file and not file.exists() and not state.in_memory
    state.check()
    with sqlite3.connect(file) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    assert stat.S_ISREG(file.stat().st_mode)
    state.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
def test_in_memory(url):
    state = State(url)
    assert state.in_memory and state.file is None
    assert state.first_use(EHR, "a", 2e9) and not state.first_use(EHR, "a", 2e9)
    state.close()


FORKED = """
import os, sys
from hooks.state import State
url = sys.argv[1]
state = State(url)
assert state.first_use("i", "before", 2e9)
children = []
for n in range(3):
    pid = os.fork()
    if not pid:
        code = 1
        try:
            assert "sqlite://" == url or not state.first_use("i", "before", 2e9)
            assert all(state.first_use("i", f"child-{n}-{k}", 2e9) for k in range(20))
            code = 0
        finally:
            state.close() if n else None  # hanging up in a child, or dying without, must not hang up on the parent
            sys.exit(code) if n < 2 else os._exit(code)
    children.append(pid)
assert all(state.first_use("i", f"parent-{k}", 2e9) for k in range(50))
assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]
assert url == "sqlite://" or not state.first_use("i", "child-2-19", 2e9)
assert state.first_use("i", "after", 2e9) and not state.first_use("i", "before", 2e9)
state.close()
"""


@pytest.mark.parametrize("kind", ["file", "memory", "postgresql"])
def test_after_a_fork_each_process_has_connections_of_its_own(request, tmp_path, kind):
    urls = {"file": f"sqlite:///{tmp_path}/x.sqlite3", "memory": "sqlite://"}
    url = urls.get(kind) or request.getfixturevalue("postgres")
    checkout = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-c", FORKED, url], cwd=checkout, env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
