"""What the store asks of an engine. Everything in which the two differ is in `sqlite.py` and `postgresql.py`."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from . import statements
from .fault import StoreFault

PATIENCE = 60
"""Seconds to wait for another writer, or for a connection, before giving up."""

Row = tuple[Any, ...]


class Connection(Protocol):
    """One connection to a store; every failure of the engine leaves it as a StoreFault."""

    def begin(self, *, write: bool, lasting: bool = True) -> None:
        """Start a transaction; a reading one sees one snapshot.

        Everybody sees the changes of one that is not `lasting` as soon as it has ended, but it does not wait until
        they are on the disk: a crash of the machine may lose its last moments.
        """

    def commit(self) -> None:
        """Make all changes of the transaction last, or raise StoreFault."""

    def rollback(self) -> None:
        """Forget the transaction; never raises, a connection that cannot do it is broken."""

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run a query and return all its rows."""

    def locked(self, statement: str, parameters: Sequence[object]) -> list[Row]:
        """Run a query whose rows no other writer can touch until this transaction ends."""

    def change(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """Run a change and return the number of rows it touched."""

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Insert many rows; raise DuplicateRow if one of the keys is there already."""

    @property
    def broken(self) -> bool:
        """Whether the connection can no longer be used."""

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""


class Engine(Protocol):
    """A place where a store lives."""

    def connect(self) -> Connection:
        """Open one more connection, or raise StoreFault."""

    def prepare(self) -> None:
        """Make the tables if they are missing, even when others do so at the same moment; raise StoreFault."""


def check_layout(connection: Connection, place: str) -> None:
    """Raise StoreFault if the tables at `place` were made by a couponmock that arranges them differently."""
    if connection.rows(statements.READ_LAYOUT) != [(statements.LAYOUT,)]:
        message = f"The store {place} was made by another version of couponmock; use a new one."
        raise StoreFault(message)


def make_tables(connection: Connection, *, text: str, number: str, options: str) -> None:
    """Make all tables, inside the transaction at hand.

    `text` is the type of texts, `number` that of a number the engine gives, `options` end each table that has a key.
    """
    for table in statements.TABLES:
        connection.change(table.format(text=text, number=number, options=options))
    connection.change(statements.WRITE_LAYOUT, (statements.LAYOUT,))
