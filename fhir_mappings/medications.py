"""The drug that a dose, a statement or an order names: by a code, in words, or by a Medication and what that is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_mappings.members import each
from fhir_mappings.record import Resource
from fhir_mappings.subject import Others, contained, target

INGREDIENT = "krcore-medicationIngredient"  # KR Core: the ATC code sits in this extension
PARTS = (("itemCodeableConcept", "itemReference"), ("substanceCodeableConcept", "substanceReference"))  # of a Medication, of a Substance


def concepts(told: Resource, others: Others) -> Iterator[Any]:
    """Whatever a code or words may say of the drug, its ingredients included."""
    concept = told.get("medicationCodeableConcept")
    yield concept
    for extension in each(concept.get("extension")) if isinstance(concept, dict) else ():
        if str(extension.get("url", "")).endswith(INGREDIENT):
            yield extension.get("valueCodeableConcept")
    reference = told.get("medicationReference")
    if isinstance(reference, dict):
        yield _display(reference)
        for substance in _made_of(told, others):
            yield substance.get("code")
            for ingredient, item, element in _ingredients(substance):
                yield item
                yield _display(ingredient.get(element))


def is_named(told: Resource, others: Others) -> bool:
    """False for a drug that is named only by a reference to something that did not come along; so may one of its ingredients be,
    where the Medication has no code of its own."""
    if told.get("medicationCodeableConcept") or target(told, "medicationReference") is None:
        return True
    made_of = _made_of(told, others)
    return bool(made_of) and not any(
        not item and target(ingredient, element) and _along(ingredient, element, (told, substance), others) is None
        for substance in made_of if not substance.get("code") for ingredient, item, element in _ingredients(substance)
    )  # fmt: skip


def _made_of(told: Resource, others: Others) -> list[Resource]:
    """The Medication, and every Medication and Substance that it or one of these is made of; each once, though they go in a ring."""
    found = [drug] if (drug := _along(told, "medicationReference", (told,), others)) is not None else []
    for substance in found:
        for ingredient, _, element in _ingredients(substance):
            part = _along(ingredient, element, (told, substance), others)
            if part is not None and not any(part is seen for seen in found):
                found.append(part)
    return found


def _ingredients(substance: Resource) -> Iterator[tuple[Resource, Any, str]]:
    """`(ingredient, what it is by code or in words, the element that may refer to it instead)`."""
    for ingredient in each(substance.get("ingredient")):
        yield from ((ingredient, ingredient.get(item), element) for item, element in PARTS if item in ingredient or element in ingredient)


def _along(resource: Resource, element: str, holders: tuple[Resource, ...], others: Others) -> Resource | None:
    """What an element refers to, where it came along: inside the order, inside the drug, or beside them."""
    reference = target(resource, element)
    inside = (found for holder in holders if (found := contained(holder, reference)) is not None)
    return next(inside, None) or others.get(str(reference))


def _display(reference: Any) -> Any:
    """All that some systems send of a drug."""
    return {"text": reference.get("display")} if isinstance(reference, dict) else None
