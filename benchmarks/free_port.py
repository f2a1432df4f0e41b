"""A port for a program that is about to start, and that can only be told a number.

Not one of those that the system gives to whoever asks for any: until the program listens, such a port can become that of
another listener or of an outgoing connection, and then another server answers in the place of the one that was started.
"""

from __future__ import annotations

import random
import socket

NEVER_GIVEN = range(20_000, 32_000)  # Linux gives from 32,768 on, macOS and Windows from 49,152


def free_port() -> int:
    for port in random.sample(NEVER_GIVEN, 100):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            pass  # taken
    raise OSError(f"A hundred ports from {NEVER_GIVEN[0]} to {NEVER_GIVEN[-1]} are all taken")
