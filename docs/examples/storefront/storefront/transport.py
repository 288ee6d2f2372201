"""Sends requests: with a time limit, and once more if the vendor asks for patience."""

import time
from collections.abc import Callable
from typing import Any

import requests

from storefront.errors import Unavailable

TIMEOUT = (3.05, 10.0)
"""Seconds for connecting, and for waiting."""
PATIENCE = 5.0
"""The longest Retry-After, in seconds, that is waited for."""
_BUSY = {429, 503}


class Transport:
    """One vendor's host.

    Args:
        base_url: Scheme and host, without the vendor's path.
        pause: What waits; tests need not.
        timeout: Seconds for connecting, and for waiting.
    """

    def __init__(
        self,
        base_url: str,
        pause: Callable[[float], object] = time.sleep,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:
        self.session = requests.Session()
        self._base_url = base_url.rstrip("/")
        self._pause = pause
        self._timeout = timeout

    def send(self, method: str, path: str, **parts: Any) -> tuple[int, Any]:
        """Return status and JSON of the answer.

        Raises:
            Unavailable: nobody answers, not in time, or not with JSON.
        """
        response = self._once(method, path, **parts)
        if response.status_code in _BUSY and (wait := _wait(response)) is not None:
            self._pause(wait)
            response = self._once(method, path, **parts)
        try:
            return response.status_code, response.json()
        except ValueError as error:
            raise Unavailable("The answer is no JSON.", response.status_code) from error

    def _once(self, method: str, path: str, **parts: Any) -> requests.Response:
        try:
            return self.session.request(method, self._base_url + path, timeout=self._timeout, **parts)
        except requests.RequestException as error:
            raise Unavailable(f"No answer: {type(error).__name__}.") from error


def _wait(response: requests.Response) -> float | None:
    """Return how many seconds to wait; None if that is not said, or too long."""
    told = response.headers.get("Retry-After", "")
    return float(told) if told.isdigit() and float(told) <= PATIENCE else None
