"""What a run costs: requests, counted. Time is measured by bench/suite.py."""

import contextlib
import io

import pytest
from broken_server import VENDORS, serving
from couponcheck.report import as_json, show
from couponcheck.run import CONFORMANT, Run
from couponcheck.target import Permissions
from rich.console import Console

BUDGET = 400
"""Requests of a run for one vendor, with every read of a state and without those at once or made up."""
FEW = 2
"""Requests that are made up for each requirement: how many they are is counted, and not what they find."""


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_whole_run_keeps_within_its_budget_of_requests(vendor: str) -> None:
    with serving(vendor) as url, contextlib.closing(Run.prepare(url, (), 0, Permissions(generate=FEW))) as run:
        checked = run.judges[vendor].catalogue.checked
        run.selected = len(checked)
        for requirement in checked:
            run.judge(requirement)
        sent, report = run.sent[vendor], as_json(run)
        printed = io.StringIO()
        show(Console(file=printed, width=160), run)
    assert run.verdict == CONFORMANT
    assert 0 < sent["reads"] + sent["writes"] <= BUDGET, sent
    assert sent["generated"] == FEW * sum(requirement.generated is not None for requirement in checked)
    together = [call for requirement in checked for group in requirement.calls for call in group.together]
    assert sent["at_once"] == sum(call.times for call in together), "or one was busy and was asked again"
    kinds = f"{sent['reads']} reads, {sent['writes']} writes, {sent['at_once']} at once, {sent['generated']} generated"
    said = kinds.replace(" 0 writes,", "")
    assert f"; {sum(sent.values())} requests ({said})\n" in printed.getvalue()
    assert report["sent"] == {vendor: sent}
    assert sum(sent.values()) == report["requests"]
