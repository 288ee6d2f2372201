"""The PostgreSQL engine: one database, shared by all processes of all machines."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

from .engine import PATIENCE, Row, check_layout, make_tables
from .fault import DuplicateRow, StoreFault

CONNECT_SECONDS = 10
MAKING_TABLES = 0x636F_7570_6F6E
"""The advisory lock held while the tables are made: "IF NOT EXISTS" alone fails when two do so at once."""

HABITS = (
    "SELECT set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false),"
    " set_config('lock_timeout', %s, false)"
)
"""Every statement has its index; a plan made while a table was small must not outlive its growth.

And every statement walks along it: two that remove the same rows meet them in the same order, not in a deadlock.
"""

NOT_LASTING = "SET LOCAL synchronous_commit TO off"


@functools.cache
def in_psycopg(statement: str) -> bytes:
    """Write the placeholders the way psycopg wants them."""
    return statement.replace("?", "%s").encode()


class PostgresConnection:
    """One connection to the server."""

    def __init__(self, address: "Address") -> None:
        """Connect; raise StoreFault if the server cannot be reached or refuses us."""
        import psycopg

        self._errors: type[Exception] = psycopg.Error
        self._duplicate: type[Exception] = psycopg.errors.UniqueViolation
        self._address = address
        try:
            self._driver: psycopg.Connection[Row] = psycopg.connect(autocommit=True, **address.parameters)
        except psycopg.Error as error:
            raise self._fault(error) from None
        try:
            self._driver.execute(HABITS, (f"{PATIENCE}s",))
        except psycopg.Error as error:
            self._driver.close()
            raise self._fault(error) from error

    @property
    def broken(self) -> bool:
        """Whether the connection can no longer be used."""
        return self._driver.closed

    def begin(self, *, write: bool, lasting: bool = True) -> None:
        """Start a transaction; a reading one sees one snapshot, a writing one what others left when it got its lock."""
        begin = f"BEGIN ISOLATION LEVEL {'READ COMMITTED' if write else 'REPEATABLE READ, READ ONLY'}"
        try:
            # Two statements in one message, which is why psycopg must not prepare them.
            self._driver.execute((begin if lasting else f"{begin}; {NOT_LASTING}").encode(), prepare=False)
        except self._errors as error:
            raise self._fault(error) from error

    def commit(self) -> None:
        """Make all changes of the transaction last; a COMMIT after a swallowed error would silently roll back."""
        try:
            outcome = self._driver.execute(b"COMMIT").statusmessage
        except self._errors as error:
            raise self._fault(error) from error
        if outcome != "COMMIT":
            message = f"The store {self._address.place} did not keep the changes: an earlier statement had failed."
            raise StoreFault(message)

    def rollback(self) -> None:
        """Forget the transaction."""
        try:
            if self._driver.info.transaction_status:
                self._driver.execute(b"ROLLBACK")
        except self._errors:
            self._driver.close()

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run a query and return all its rows."""
        try:
            return self._driver.execute(in_psycopg(statement), parameters).fetchall()
        except self._errors as error:
            raise self._fault(error) from error

    def locked(self, statement: str, parameters: Sequence[object]) -> list[Row]:
        """Run a query whose rows no other writer can touch until this transaction ends."""
        return self.rows(f"{statement} FOR UPDATE", parameters)

    def change(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """Run a change and return the number of rows it touched."""
        try:
            return self._driver.execute(in_psycopg(statement), parameters).rowcount
        except self._errors as error:
            raise self._fault(error) from error

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Insert many rows; raise DuplicateRow if one of the keys is there already."""
        try:
            with (
                self._driver.cursor() as cursor,
                cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()) as copy,
            ):
                for row in rows:
                    copy.write_row(row)
        except self._duplicate as error:
            raise DuplicateRow from error
        except self._errors as error:
            raise self._fault(error) from error

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        self._driver.close()

    def _fault(self, error: Exception) -> StoreFault:
        said = " ".join(str(error).split())
        if self._address.password:
            said = said.replace(self._address.password, "***")
        return StoreFault(f"The store {self._address.place} cannot be used: {said.rstrip('.')}.")


class Address:
    """Where the database is; `place` names it without a secret in it."""

    def __init__(self, url: str) -> None:
        """Read a postgresql:// URL; raise StoreFault if it cannot be read or psycopg is not installed."""
        try:
            import psycopg.conninfo
        except ImportError as error:
            message = "A store in PostgreSQL needs a driver that is missing: pip install 'couponproof[postgres]'"
            raise StoreFault(message) from error
        try:
            found = psycopg.conninfo.conninfo_to_dict(url)
        except psycopg.Error:
            found = {"port": "unreadable"}
        host, port, database = (str(found.get(part) or "") for part in ("host", "port", "dbname"))
        # A password with an unescaped / ? or @ in it ends up in these; then none of them may be shown.
        if "@" in host + database or (port and not port.replace(",", "").isdigit()):
            message = (
                "The postgresql:// address of the store cannot be read:"
                " write special characters in the password as %XX, such as %2F for a slash."
            )
            raise StoreFault(message) from None
        self.place = f"postgresql://{host}{port and ':'}{port}/{database}"
        self.password = str(found.get("password") or "")
        self.parameters: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "application_name": "couponmock"} | found


class PostgresEngine:
    """A store in a database."""

    def __init__(self, url: str) -> None:
        """Read the address; nothing is opened yet."""
        self._address = Address(url)

    def connect(self) -> PostgresConnection:
        """Open one more connection."""
        return PostgresConnection(self._address)

    def prepare(self) -> None:
        """Make the tables if they are missing."""
        connection = self.connect()
        try:
            self._make(connection)
            check_layout(connection, self._address.place)
        finally:
            connection.close()

    def _make(self, connection: PostgresConnection) -> None:
        if connection.rows("SHOW server_encoding") != [("UTF8",)]:
            message = f"The store {self._address.place} needs a database with the encoding UTF8."
            raise StoreFault(message)
        connection.begin(write=True)
        connection.rows("SELECT pg_advisory_xact_lock(?)", (MAKING_TABLES,))
        if connection.rows("SELECT to_regclass('couponmock_layout')") == [(None,)]:
            # Bytewise order is the order of SQLite and of Python, and independent of the server's locale.
            number = "BIGINT GENERATED ALWAYS AS IDENTITY"
            make_tables(connection, text='TEXT COLLATE "C"', number=number, options="")
        connection.commit()
