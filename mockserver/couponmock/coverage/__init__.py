"""Coverage: which of the documented answers the clients of a mock have got, so that none is left untried."""

from couponmock.coverage.ask import Unreachable, ask
from couponmock.coverage.report import Report, Ways, answer_of, report
from couponmock.coverage.shown import junit, markdown, summary, text

__all__ = [
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
