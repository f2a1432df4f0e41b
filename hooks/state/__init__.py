"""What outlives one call: tokens already used, which cards were shown, and what became of them. Never a child's data, but
for who is looking at whose checklist, sealed with a key that only the clinician's browser has."""

from hooks.state.faults import StateError
from hooks.state.figures import Figures, Reason
from hooks.state.store import CardLogged, State

__all__ = ["CardLogged", "Figures", "Reason", "State", "StateError"]
