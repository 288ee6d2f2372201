"""What limits and rules make of one request, counted exactly once however many workers there are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from couponspec.document import Document, Operation

from couponmock.exchange import Reply, Request, Transit
from couponmock.finding import BODY_LIMIT
from couponmock.forced import Forced
from couponmock.injection.limit import Limit
from couponmock.injection.rule import wish
from couponmock.injection.schedule import applies, seconds
from couponmock.journal import asked, misses
from couponmock.store import Namespace, NoSuchNamespace, Store, real_time

RULES, LIMITS, BUCKETS = "faults", "limits", "buckets"
"""Members of a namespace's settings."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to one request."""

    rules: tuple[Mapping[str, Any], ...] = ()
    """Those that apply, as they are after this request: at most one for the answer, at most one for its time."""
    limited: str = ""
    """The vendor whose limit is reached."""
    wait: int = 0
    """Seconds until there is room again; 0 if there never will be."""

    @property
    def instead(self) -> Forced | None:
        """Return the answer to give instead of the vendor's."""
        if self.limited:
            return Forced(code="429")
        return next((forced for rule in self.rules if (forced := wish(rule))), None)

    @property
    def prevents(self) -> bool:
        """Tell whether the operation does not happen."""
        return bool(self.limited) or any(rule["stage"] == "before" for rule in self.rules)

    def applied(self, reply: Reply) -> Reply:
        """Do to a reply what the rules say, and tell so in its diagnosis."""
        if self.limited:
            reply = replace(reply, diagnosis=replace(reply.diagnosis, fault=f"{self.limited} limit"))
            return _retrying(reply, str(self.wait) if self.wait else None)
        told = ", ".join(f"{rule['id']} {rule['kind']}" for rule in self.rules)
        # A rule that gives an answer is a wish of the test that made it; a limit is none.
        reply = replace(reply, diagnosis=replace(reply.diagnosis, fault=told, forced=self.instead is not None))
        for rule in self.rules:
            reply = _damaged(reply, rule)
        return reply


@dataclass(frozen=True, slots=True)
class Injection:
    """The limits and rules that requests to a vendor are subject to."""

    store: Store
    document: Document
    limit: Limit | None
    """The server's; a namespace may have another."""

    def due(self, settings: Mapping[str, Any], operation: Operation, request: Request) -> Mapping[str, Any] | None:
        """Return a request as the journal describes it, if there is something to decide about it.

        Args:
            settings: Those of its namespace.
            operation: What is asked for; if that has a body, the request's is buffered.
            request: What was asked.
        """
        limited = self._limit(settings) is not None
        if not limited and RULES not in settings:
            return None
        body = None if operation.body is None else request.read(BODY_LIMIT)
        described = asked(request, body, self.document)
        return described if limited or _matching(settings, operation.id, described) else None

    def decide(self, namespace: str, principal: str, operation: str, described: Mapping[str, Any]) -> Decision:
        """Count a request and decide about it.

        Args:
            namespace: Name of its namespace.
            principal: Name of the entity that its credential belongs to.
            operation: The operationId.
            described: What `due` returned.
        """
        decision = Decision()

        def change(found: Namespace) -> dict[str, Any]:
            nonlocal decision
            settings, decision = self._decided(found, principal, operation, described)
            return settings

        try:
            self.store.revise_settings(namespace, change)
        except NoSuchNamespace:  # dropped at this very moment, and its rules with it
            return Decision()
        return decision

    def _decided(
        self, namespace: Namespace, principal: str, operation: str, described: Mapping[str, Any]
    ) -> tuple[dict[str, Any], Decision]:
        settings = dict(namespace.settings)
        limit = self._limit(settings)
        if limit:
            buckets = settings.setdefault(BUCKETS, {}).setdefault(self.document.vendor, {})
            filled, wait = limit.poured(buckets.get(principal), real_time(), namespace.exact_time())
            buckets[principal] = filled
            if wait is not None:
                return settings, Decision(limited=self.document.vendor, wait=wait)
        chosen: dict[bool, Mapping[str, Any]] = {}
        for rule in _matching(settings, operation, described):
            rule["seen"] += 1
            slow = rule["kind"] == "latency"
            if slow not in chosen and applies(rule.get("times", {}), rule["seen"]):
                rule["applied"] += 1
                chosen[slow] = rule
        return settings, Decision(tuple(chosen.values()))

    def _limit(self, settings: Mapping[str, Any]) -> Limit | None:
        own = settings.get(LIMITS, {}).get(self.document.vendor)
        return Limit(**own) if own else self.limit


def restarted(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings in which every rule starts counting anew and every bucket is empty."""
    kept = {name: value for name, value in settings.items() if name != BUCKETS}
    if RULES in kept:
        rules = [{**rule, "seen": 0, "applied": 0} for rule in kept[RULES]["rules"]]
        kept[RULES] = {**kept[RULES], "rules": rules}
    return kept


def _matching(settings: Mapping[str, Any], operation: str, described: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        rule
        for rule in settings.get(RULES, {}).get("rules", ())
        if rule.get("operation", operation) == operation and not misses(described, rule.get("match", {}))
    ]


def _damaged(reply: Reply, rule: Mapping[str, Any]) -> Reply:
    if rule["kind"] == "status" and "retryAfter" in rule:
        return _retrying(reply, str(rule["retryAfter"]))
    changes = _on_its_way(rule, len(reply.body))
    return replace(reply, transit=replace(reply.transit or Transit(), **changes)) if changes else reply


def _on_its_way(rule: Mapping[str, Any], size: int) -> dict[str, Any]:
    """Return the members of a transit that a rule decides, for a body of some bytes.

    The body itself is damaged only when it is sent: a deliberate defect may have changed it by then.
    """
    changes: dict[str, Any] = {}
    match rule["kind"]:
        case "latency":
            changes = {"wait": seconds(rule["delay"], rule["seen"])}
        case "drip":
            changes = {"chunks": rule["chunks"], "over": seconds(rule["over"], rule["seen"])}
        case "truncate":
            changes = {"cut": rule.get("after", size // 2)}
        case "media-type":
            changes = {"media_type": rule["mediaType"]}
        case "malformed":
            changes = {"malformed": True}
        case "drop":
            changes = {"dropped": True}
    return changes


def _retrying(reply: Reply, after: str | None) -> Reply:
    """Give a reply another Retry-After, or none."""
    headers = tuple(header for header in reply.headers if header[0].lower() != "retry-after")
    return replace(reply, headers=(*headers, ("Retry-After", after)) if after else headers)
