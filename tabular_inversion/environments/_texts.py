"""The common form of the texts that name things: ``word:item,item,key=value``."""

from __future__ import annotations

from collections.abc import Collection

from tabular_inversion.errors import SpecificationError

_MOST_DIGITS = 40
"""Of a number: enough for every seed."""


class Text:
    """The items and options behind the colon of a text; what a form does not know is refused.

    Parameters
    ----------
    whole : str
        The text as the user wrote it, for messages.
    rest : str
        What stands behind the word and its colon, possibly empty.
    """

    def __init__(self, whole: str, rest: str) -> None:
        self.whole = whole
        parts = rest.split(",") if rest else []
        self.items = [part.strip() for part in parts if "=" not in part]
        self.options: dict[str, str] = {}
        for part in parts:
            key, equals, value = (piece.strip() for piece in part.partition("="))
            if equals and key in self.options:
                raise SpecificationError(f"{whole!r} gives {key!r} twice; give it once.")
            if equals:
                self.options[key] = value

    def check(self, form: str, *, items: int | None, options: Collection[str]) -> None:
        """Raise unless there are so many items (any number when None) and no other options."""
        unknown = [key for key in self.options if key not in options]
        if unknown:
            raise SpecificationError(f"{self.whole!r} has the unknown option {unknown[0]!r}; expected {form}.")
        if items is not None and len(self.items) != items:
            raise SpecificationError(f"{self.whole!r} is not of the form {form}.")

    def whole_number(self, name: str, value: str) -> int:
        """Return `value` as an integer of at least 0."""
        if not (value.isascii() and value.isdecimal()):
            raise SpecificationError(f"{self.whole!r}: {name} is {value!r}; expected a whole number.")
        if len(value) > _MOST_DIGITS:
            raise SpecificationError(f"{name} has {len(value)} digits; expected a number of at most {_MOST_DIGITS}.")
        return int(value)

    def whole_option(self, name: str, default: int) -> int:
        """Return the option of this name as an integer of at least 0."""
        return self.whole_number(name, self.options[name]) if name in self.options else default
