"""The trials this service knows, in an explicit list."""

from cds.trials.nct05827549 import PROTOCOL as NCT05827549

TRIALS = (NCT05827549,)
