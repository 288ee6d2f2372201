"""Asks the admin interface of a running mock, with nothing but the standard library."""

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

_TIMEOUT = 30.0
"""Seconds that an answer may take."""


class AdminError(Exception):
    """The mock refused what its admin interface was asked; the message is its own sentence.

    Attributes:
        status: HTTP status of the refusal.
        problem: Members of its problem document.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(problem.get("detail") or f"The mock answered with status {status}.")
        self.status = status
        self.problem = problem


class Admin:
    """The admin interface as one namespace sees it."""

    def __init__(self, origin: str, namespace: str | None = None) -> None:
        """Take the server's URL and, for another namespace than the default one, its name."""
        self.origin = origin
        self.url = origin if namespace is None else f"{origin}/~{quote(namespace, safe='')}"
        # A proxy of the environment has nothing to do with a server of ours.
        self._opener = build_opener(ProxyHandler({}))

    def ask(self, method: str, *path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON value that the mock answers with; None for an empty answer.

        Args:
            method: HTTP method.
            path: Segments below ``/__admin``.
            body: JSON value to send; None for no body.
            query: Query parameters.

        Raises:
            AdminError: the mock refuses.
            ConnectionError: nobody answers, or it is no couponmock that does.
        """
        url = "/".join([f"{self.url}/__admin", *(quote(segment, safe="") for segment in path)])
        if query:
            url += f"?{urlencode(query)}"
        data = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = Request(url, data, headers, method=method)  # noqa: S310 - Mock takes http and https alone
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as response:
                text = response.read()
            return json.loads(text) if text else None
        except HTTPError as error:
            with error:
                raise AdminError(error.code, _problem(error.read())) from None
        except (OSError, HTTPException, ValueError) as error:
            raise ConnectionError(f"no mock answers at {self.origin}: {getattr(error, 'reason', error)}") from error


def _problem(text: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(text)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
