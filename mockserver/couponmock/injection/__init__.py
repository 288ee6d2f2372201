"""Faults on request: rules that make a vendor fail, and limits on how fast it may be asked."""

from couponmock.injection.decision import BUCKETS, LIMITS, RULES, Decision, Injection, restarted
from couponmock.injection.limit import Limit
from couponmock.injection.mistake import Unusable
from couponmock.injection.rule import MOST_RULES, RULE_MEMBERS, read

__all__ = [
    "BUCKETS",
    "LIMITS",
    "MOST_RULES",
    "RULES",
    "RULE_MEMBERS",
    "Decision",
    "Injection",
    "Limit",
    "Unusable",
    "read",
    "restarted",
]
