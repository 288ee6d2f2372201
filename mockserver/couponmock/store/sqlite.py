"""The SQLite engine: one file in WAL mode, shared by all processes of one machine."""

import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from .engine import PATIENCE, Row, check_layout, make_tables
from .fault import DuplicateRow, StoreFault


class SqliteConnection:
    """One connection to the file."""

    def __init__(self, path: Path) -> None:
        """Open the file, creating it if needed; raise StoreFault if that cannot be done."""
        self.broken = False
        self._path = path
        try:
            self._driver = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._fault(error) from error
        try:
            # WAL survives a crash of the process with this; only a crash of the machine may lose the last moments.
            self.rows("PRAGMA synchronous = NORMAL")
        except StoreFault:
            self.close()
            raise

    def begin(self, *, write: bool, lasting: bool = True) -> None:  # noqa: ARG002 - nobody here waits for the disk
        """Start a transaction; a writer takes its turn here, since one that has read first can never catch up."""
        self.rows("BEGIN IMMEDIATE" if write else "BEGIN")

    def commit(self) -> None:
        """Make all changes of the transaction last."""
        self.rows("COMMIT")

    def rollback(self) -> None:
        """Forget the transaction; some failures have ended it already."""
        try:
            if self._driver.in_transaction:
                self._driver.execute("ROLLBACK")
        except sqlite3.Error:
            self.broken = True

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run a query and return all its rows."""
        try:
            return self._driver.execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def locked(self, statement: str, parameters: Sequence[object]) -> list[Row]:
        """Run a query; the transaction is the only writing one, so nothing is left to be locked."""
        return self.rows(statement, parameters)

    def change(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """Run a change and return the number of rows it touched."""
        try:
            return self._driver.execute(statement, parameters).rowcount
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Insert many rows; raise DuplicateRow if one of the keys is there already."""
        # In the order of the key a million rows go in several times faster than at random.
        in_order = sorted(rows)
        names, slots = ", ".join(columns), ", ".join("?" * len(columns))
        try:
            self._driver.executemany(f"INSERT INTO {table} ({names}) VALUES ({slots})", in_order)  # noqa: S608 - our own names
        except sqlite3.IntegrityError as error:
            raise DuplicateRow from error
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def close(self) -> None:
        """Close the connection."""
        self._driver.close()

    def _fault(self, error: sqlite3.Error) -> StoreFault:
        return StoreFault(f"The store file {self._path} cannot be used: {error}.")


class SqliteEngine:
    """A store in a file."""

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is opened yet."""
        self._path = path

    def connect(self) -> SqliteConnection:
        """Open one more connection."""
        return SqliteConnection(self._path)

    def prepare(self) -> None:
        """Make the file and its tables if they are missing."""
        connection = self.connect()
        try:
            self._turn_to_wal(connection)
            connection.begin(write=True)
            if not connection.rows("SELECT 1 FROM sqlite_master WHERE name = 'couponmock_layout'"):
                make_tables(connection, text="TEXT", number="INTEGER PRIMARY KEY", options=" WITHOUT ROWID")
            connection.commit()
            check_layout(connection, str(self._path))
        finally:
            connection.close()

    def _turn_to_wal(self, connection: SqliteConnection) -> None:
        # Here alone SQLite does not wait for others who are doing the same, it refuses at once.
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                connection.rows("PRAGMA journal_mode = WAL")
            except StoreFault as fault:
                busy = getattr(fault.__cause__, "sqlite_errorname", "").startswith("SQLITE_BUSY")
                if not busy or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return
