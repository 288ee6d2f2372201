"""Coverage: which of the documented answers the clients of a mock have got, so that none is left untried."""

from .ask import DEFAULT_URL, Unreachable, ask
from .report import Report, Ways, answer_of, report
from .shown import junit, markdown, summary, text

__all__ = [
    "DEFAULT_URL",
    "Report",
    "Unreachable",
    "Ways",
    "answer_of",
    "ask",
    "junit",
    "markdown",
    "report",
    "summary",
    "text",
]
