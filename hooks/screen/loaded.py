"""What every process of a screening needs, loaded by the one from which the others are forked."""

import gc

gc.disable()  # of what is loaded nothing becomes garbage

import hooks.screen.tasks  # noqa: E402, F401

gc.freeze()  # a look for garbage writes to all that it looks at, and would give each process a copy of its own
gc.enable()
