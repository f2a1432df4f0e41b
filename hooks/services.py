"""The services we offer: one for each hook. To add a hook or a trial, add an entry to `SERVICES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cds.protocol import Protocol
from cds.trials import NCT05827549
from hooks.answers import Answered, Asked, order_answer, screening_answer
from hooks.prefetch import templates

CDS_HOOKS_VERSION = "2.0.1"
HOOK_VERSION = "1.0"
USAGE = (
    "Needs the patient and the conditions; without the other keys the criteria that depend on them stay unknown. Any key "
    "may be left out if a FHIR server and a token are sent. For clinicians only."
)
FITTING = (
    "For a child with a first relapse of acute lymphoblastic leukaemia: what the chart says of each criterion of the "
    "trial, what is missing, and which risk group its rules give. Silent for every other child."
)
ORDERS = (
    "Warns when a draft order would itself break a criterion of the trial for a child who may still take part: "
    "blinatumomab before enrolment, an allogeneic transplant. Silent for every other order and child."
)


@dataclass(frozen=True, slots=True)
class Service:
    """One entry of the discovery document."""

    id: str
    hook: str
    title: str
    description: str
    protocol: Protocol
    answer: Callable[[Asked], Answered]

    def described(self) -> dict[str, Any]:
        return {
            "hook": self.hook,
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "version": CDS_HOOKS_VERSION,
            "hookVersion": HOOK_VERSION,
            "usageRequirements": USAGE,
            "prefetch": templates(),
        }


def _of(protocol: Protocol, trial: str) -> tuple[Service, ...]:
    hooks = (
        ("patient-view", "on opening a chart", FITTING, screening_answer),
        ("encounter-start", "at the start of an encounter", FITTING, screening_answer),
        ("order-select", "on choosing an order", ORDERS, order_answer),
        ("order-sign", "on signing orders", ORDERS, order_answer),
    )
    return tuple(
        Service(f"{protocol.id.lower()}-{hook}", hook, f"{trial}, trial {protocol.id}: {moment}", description, protocol, answer)
        for hook, moment, description, answer in hooks
    )


SERVICES = _of(NCT05827549, "Relapsed childhood ALL")
PROTOCOLS = tuple({service.protocol.id: service.protocol for service in SERVICES}.values())
