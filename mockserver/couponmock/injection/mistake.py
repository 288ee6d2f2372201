"""How a rule or a limit that cannot be used is refused, and the numbers that both are made of."""

from collections.abc import Mapping
from typing import Any


class Unusable(Exception):
    """A rule or a limit makes no sense; the message says what is allowed."""


def whole(name: str, value: Any, least: int, most: int) -> int:
    """Return a whole number.

    Raises:
        Unusable: it is none, or out of bounds.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Unusable(f"Give {name} as a whole number from {least} to {most}.")
    return value


def number(name: str, value: Any, least: float, most: float) -> float:
    """Return a number.

    Raises:
        Unusable: it is none, or out of bounds.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise Unusable(f"Give {name} as a number from {least:.15g} to {most:.15g}.")
    return value


def one_of(name: str, value: Any, forms: Mapping[str, tuple[str, ...]], beside: tuple[str, ...] = ()) -> str:
    """Return which of several forms an object has.

    Args:
        name: What the object is called.
        value: The object.
        forms: How a form is written -> the members that it consists of.
        beside: Members that the last form may have, too.

    Raises:
        Unusable: it has none of these forms.
    """
    if isinstance(value, Mapping):
        for form, members in forms.items():
            optional = {name for name in beside if f'"{name}"' in form}
            if set(members) <= set(value) <= {*members, *optional}:
                return form
    raise Unusable(f"Give {name} as {', or '.join(forms)}.")
