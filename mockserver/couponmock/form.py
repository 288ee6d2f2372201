"""Forms: options of a reading that change how an answer is written, and nothing of what it says or does."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from couponspec.schema import Option

Change = Callable[[Any], Any]
"""Makes of a body the same in another form; leaves alone what has no such form, and never changes it in place."""


@dataclass(frozen=True, slots=True)
class Form:
    """The form that the answers of some operations have where an option is chosen."""

    option: Option
    operations: tuple[str, ...]
    """Their operationIds; empty for every answer of the vendor, also those to requests that reach no operation."""
    change: Change

    def __call__(self, body: Any) -> Any:
        """Write a body in this form."""
        return self.change(body)

    def is_of(self, operation: str) -> bool:
        """Tell whether the answers of an operation have the form."""
        return not self.operations or operation in self.operations


def form(option: str, *operations: str) -> Callable[[Change], Form]:
    """Mark a function as the form of an option.

    Several forms of one answer are applied in the order in which a module defines them.

    Args:
        option: ``reading=option``, as a document marks the branch of its schema; checked at start.
        operations: The operationIds whose answers have the form; all of the vendor if none is named.
    """
    return lambda change: Form(Option.parse(option), operations, change)


def forms_of(module: ModuleType) -> tuple[Form, ...]:
    """Return the forms that a vendor's module holds."""
    return tuple(item for item in vars(module).values() if isinstance(item, Form))
