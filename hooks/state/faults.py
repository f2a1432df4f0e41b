"""What is wrong with the database, in one sentence that quotes neither its address nor anything that was to be stored.

The drivers' own messages do quote: a duplicate key its values, a refused connection the user, a bad URL its password.
"""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree


class StateError(Exception):
    """The database cannot do its part now; one plain sentence."""


SQLITE = {
    "CANTOPEN": "the database file cannot be opened; does its folder exist, and may this user write there?",
    "READONLY": "the database file may not be written by this user",
    "BUSY": "the database file stayed locked by another program for too long",
    "LOCKED": "the database file stayed locked by another program for too long",
    "NOTADB": "the database file is not an SQLite database",
    "CORRUPT": "the database file is damaged; put it aside and restore a copy",
    "FULL": "the disk of the database file is full",
    "IOERR": "the disk of the database file cannot be read or written",
}
POSTGRESQL = {  # by the class of SQLSTATE, or by the state itself where a class says too little
    "28": "the database refuses our user or password",
    "3D": "the database server has no database of the configured name",
    "42501": "the database does not let our user read, write or create its tables",
    "42": "the tables in the database are not those of this version",
    "53": "the database server has no connection, memory or disk left for us",
    "57": "the database server is stopping, starting, or cut us off",
    "08": "the connection to the database was lost",
}
UNREACHABLE = "the database cannot be reached, or refuses us; check that it runs, and its address, user and password"
NONE_FREE = "every connection to the database stayed in use for too long"
UNSTORABLE = "the database refused what was to be stored"


def told(error: Exception) -> StateError:
    if isinstance(error, NoneFree):
        return StateError(NONE_FREE)
    cause = error.orig if isinstance(error, DBAPIError) else error
    if name := getattr(cause, "sqlite_errorname", None):
        return StateError(SQLITE.get(name.split("_")[1], UNSTORABLE))
    if state := getattr(cause, "sqlstate", None):
        return StateError(POSTGRESQL.get(state) or POSTGRESQL.get(state[:2], UNSTORABLE))
    return StateError(UNREACHABLE if isinstance(error, OperationalError) else UNSTORABLE)
