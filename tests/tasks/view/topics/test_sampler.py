"""How the sampler's draws are shown, and what is said of a sampler that failed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.view.figures import sampler as figures
from tasks.view.records import Panels
from tasks.view.topics import sampler
from tests import factories
from tests.said import block, changed, section


def test_energy_and_traces_are_of_the_draws() -> None:
    found = section(sampler.TOPIC, factories.regular_case().context)
    assert isinstance(block(found, "panels-traces"), Panels)
    assert "E-BFMI by chain" in block(found, "figure-energy").caption
    draws = np.arange(2000.0).reshape(2, 1000)
    spec = figures.traces(draws)
    assert [trace["y"][1] for trace in spec["data"]] == [7.0, 1007.0]
    assert max(len(trace["x"]) for trace in spec["data"]) <= figures.TRACE_DRAWS


def test_energy_of_white_noise_changes_more_than_it_varies() -> None:
    """Independent energies: changes have twice the variance, so E-BFMI is 2."""
    about, change = figures.energy(np.random.default_rng(1).normal(size=(4, 1000)))["data"]
    spread = [np.sqrt(np.average(np.square(one["x"]), weights=one["y"])) for one in (about, change)]
    assert spread[1] / spread[0] == pytest.approx(np.sqrt(2), rel=0.05)


def test_the_finding_names_what_was_missed() -> None:
    case = factories.singular_case()
    bayes = case.findings.bayes
    last = bayes.attempts[-1]
    failed = replace(last, diagnostics=replace(last.diagnostics, n_divergent=7, failures=("divergences",)))
    missed = changed(case, bayes=replace(bayes, attempts=(failed,)))
    assert sampler.TOPIC.finding(missed) == "The sampler did not reach its thresholds: 7 divergent transitions."
    table = block(section(sampler.TOPIC, missed), "table-attempts")
    told = {row[0].text: row[-1].text for row in table.rows}
    assert told["Divergent transitions"] == "7"
    assert told["Judgement"] == "7 divergent transitions"
    assert "every threshold" in sampler.TOPIC.finding(case.context)


@pytest.mark.parametrize("at", [0, 1])
def test_each_attempt_is_judged_by_what_it_missed(at: int) -> None:
    """The first attempt missed four limits, the second none."""
    case = factories.singular_case()
    bayes = case.findings.bayes
    (last,) = bayes.attempts
    missed_four = ("rhat", "ess_bulk", "ess_tail", "divergences")
    poor = replace(
        last.diagnostics, rhat_max=1.02, ess_bulk_min=320, ess_tail_min=290, n_divergent=3, failures=missed_four
    )
    twice = changed(case, bayes=replace(bayes, attempts=(replace(last, diagnostics=poor), last)))
    table = block(section(sampler.TOPIC, twice), "table-attempts")
    told = {row[0].text: row[2 + at].text for row in table.rows}["Judgement"]
    missed = (
        "R-hat 1.020 is not below 1.01, bulk ESS 320 is below 400, tail ESS 290 is below 400 "
        "and 3 divergent transitions"
    )
    assert told == (missed, "every threshold holds")[at]
