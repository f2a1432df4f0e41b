"""The plain resource, recognised at a glance: most of a chart, and by far most of the time that validation takes.

What fits its shape is valid FHIR R4 for certain, so it need not be validated. What does not fit may still be valid: that is
for `fhir.resources` to say, as ever. The shapes are taken from the models of `fhir.resources`, so that nobody keeps them in
step; they only have to be narrow, never complete, and a test holds them against the models.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from fhir_core import types as fhir
from msgspec import UNSET, Meta, Struct, UnsetType, ValidationError, convert, defstruct

_TIME = r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])"
_YEAR, _MONTH = r"(19|20)[0-9][0-9]", r"(0[1-9]|1[0-2])"
_DAY = rf"{_YEAR}-({_MONTH}-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"

_Text = Annotated[str, Meta(pattern=r"^[!-~\u00a1-\ud7ff]([ -~\u00a1-\ud7ff]*[!-~\u00a1-\ud7ff])?\Z", max_length=4096)]
_Code = Annotated[str, Meta(pattern=r"^[!-~]+\Z", max_length=256)]
PRIMITIVES: Mapping[type, Any] = {  # narrower than the standard; a primitive that is not named is not plain
    fhir.String: _Text,
    fhir.Code: _Code,
    fhir.Uri: _Code,
    fhir.Canonical: _Code,
    fhir.Id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9\-.]{1,64}\Z")],
    fhir.Date: Annotated[str, Meta(pattern=rf"^({_YEAR}|{_YEAR}-{_MONTH}|{_DAY})\Z")],
    fhir.DateTime: Annotated[str, Meta(pattern=rf"^({_YEAR}|{_YEAR}-{_MONTH}|{_DAY}|{_DAY}{_TIME})\Z")],
    fhir.Instant: Annotated[str, Meta(pattern=rf"^{_DAY}{_TIME}\Z")],
    fhir.Decimal: int | Decimal,
    fhir.Integer: Annotated[int, Meta(ge=-(2**31), lt=2**31)],
}
DEEPEST = 5  # elements within elements; deeper is not plain


class Plain(Struct, forbid_unknown_fields=True):
    """Members that are not named are not plain; a member that is there has a value."""


def is_plain(resource: Mapping[str, Any], model: Any) -> bool:
    """True only for what the model would accept; False says nothing."""
    try:
        convert(resource, shape_of(model))
    except (ValidationError, UnicodeError, RecursionError):
        return False
    return True


@cache
def shape_of(model: Any, depth: int = 0) -> type[Plain]:
    """The members of a model of `fhir.resources` whose types have a plain form."""
    required: list[Any] = [("resourceType", Literal[model.get_resource_type()])] if depth == 0 else []
    optional: list[Any] = []
    choices: dict[str, list[str]] = defaultdict(list)
    must_choose = set[str]()
    for field, member in _members(model):
        told = field.json_schema_extra or {}
        shape = _shape(field.annotation, depth + 1, told.get("enum_values"))
        if told.get("one_of_many_required"):
            must_choose.add(told["one_of_many"])
        needed = field.is_required() or told.get("element_required")
        if shape is None and needed:
            shape = Literal[f"{member} has no plain form"]  # so that no such resource is plain
        if shape is not None:
            (required if needed else optional).append((member, shape) if needed else (member, shape | UnsetType, UNSET))
            if choice := told.get("one_of_many"):
                choices[choice].append(member)

    def one_of_each_choice(made: Plain) -> None:
        for choice, members in choices.items():
            said = sum(getattr(made, member) is not UNSET for member in members)
            if said > 1 or (said == 0 and choice in must_choose):
                raise ValueError(f"{choice}[x] is said {said} times")

    checked = {"__post_init__": one_of_each_choice} if choices else {}
    return defstruct(model.__name__, [*required, *optional], bases=(Plain,), namespace=checked)


def _members(model: Any) -> Iterator[tuple[Any, str]]:
    """Without comments and the extensions of primitives, which are told apart by their underscores."""
    return ((field, field.alias or name) for name, field in model.model_fields.items() if "_" not in (field.alias or name))


def _shape(annotation: Any, depth: int, values: list[str] | None = None) -> Any:
    """Of one member, one of `values` where the standard names them; None for what has no plain form."""
    if get_origin(annotation) is list:
        inner = _shape(get_args(annotation)[0], depth, values)
        return inner and list[inner]
    if get_origin(annotation) is Annotated:
        return Literal[tuple(values)] if values else PRIMITIVES.get(type(annotation.__metadata__[0]))
    if options := [option for option in get_args(annotation) if option is not type(None)]:  # X | None
        return _shape(options[0], depth, values) if len(options) == 1 else None
    if annotation is bool:
        return bool
    if not (isinstance(annotation, type) and issubclass(annotation, fhir.FhirBase)) or depth > DEEPEST:
        return None
    of = annotation.get_model_klass()
    return None if of.__name__ in NEVER else shape_of(of, depth)


NEVER = frozenset({"Extension", "Resource", "Narrative", "Attachment"})  # they hold anything at all, or text of any size
