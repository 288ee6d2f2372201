"""Which answers a namespace has ever given: a set of texts that outlives the journal's entries and the namespace."""

from . import statements
from .engine import Connection
from .text import LONGEST_WORD, checked_key


def add(connection: Connection, name: str, answer: str) -> None:
    """Remember an answer.

    The last thing that a transaction does: it may wait for a rival who remembers the same one for the first time.
    """
    connection.change(statements.SEE, (name, checked_key("An answer", answer, LONGEST_WORD)))


def answers(connection: Connection, name: str | None) -> list[str]:
    """Read what a namespace has seen; with None, what all of them have, also those that are dropped."""
    if name is None:
        return [answer for (answer,) in connection.rows(statements.SEEN_ANYWHERE)]
    return [answer for (answer,) in connection.rows(statements.SEEN, (name,))]


def leave(connection: Connection, name: str) -> None:
    """Keep what a namespace has seen for the server's total alone; after the journal, as `add` has it."""
    connection.change(statements.KEEP_SEEN, (name,))
    clear(connection, name)


def clear(connection: Connection, name: str | None) -> None:
    """Forget what a namespace has seen; with None, what any has."""
    if name is None:
        connection.change(statements.CLEAR_SEEN_ANYWHERE)
    else:
        connection.change(statements.CLEAR_SEEN, (name,))
