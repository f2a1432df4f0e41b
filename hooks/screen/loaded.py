"""What every process of a screening needs, loaded by the one from which the others are forked."""

import gc

gc.disable()

import hooks.cli  # for the file that starts the command: each process imports that again
import hooks.screen.tasks

gc.freeze()  # a look for garbage writes to all that it looks at, and would give each process a copy of its own
gc.enable()
