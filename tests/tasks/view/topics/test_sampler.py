"""How the sampler's draws are shown, and what is said of a sampler that failed."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tasks.engines.sample import resampled_posterior
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.records import Scaling
from tasks.stats.weighed import LeastSquaresFits, Posterior
from tasks.study.model import Study
from tasks.view.document import summary_of
from tasks.view.figures import sampler as figures
from tasks.view.records import Figure, Panels
from tasks.view.topics import sampler
from tests import factories
from tests.datasets import simulated
from tests.posteriors import sampled, sampled_of, study_of
from tests.said import block, by_name, changed, context_of_sampled, section


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


def test_bins_outside_the_band_of_the_rank_plots_are_counted() -> None:
    """By hand: the ranks of all draws together, in 20 bins, against a band of 2.576 binomial standard errors."""
    case = factories.regular_case()
    assert case.draws is not None
    draws = [*np.moveaxis(case.draws.sigma_group, -1, 0), case.draws.sigma, *np.moveaxis(case.draws.beta, -1, 0)]
    outside = 0
    for each in draws:
        place = np.argsort(np.argsort(each, axis=None)).reshape(each.shape) // (each.size // 20)
        expected = each.shape[1] / 20
        for chain in place:
            counts = np.bincount(chain, minlength=20)
            outside += int((np.abs(counts - expected) > 2.576 * np.sqrt(expected * 0.95)).sum())
    caption = block(section(sampler.TOPIC, case.context), "panels-ranks").caption
    assert f"Of the 400 bins here {outside} " in caption
    assert caption.endswith("chance alone gives about 4.")
    assert "Agreement keeps them in the band" not in caption


def test_the_smallest_effective_sample_is_one_number_in_sentence_and_table() -> None:
    case = factories.regular_case()
    bayes = case.findings.bayes
    last = bayes.attempts[-1]
    found = replace(last, diagnostics=replace(last.diagnostics, ess_bulk_min=1725.6, ess_tail_min=1800.2))
    context = changed(case, bayes=replace(bayes, attempts=(found,)))
    assert "worth about 1,726 independent ones" in sampler.TOPIC.finding(context)
    shown = {row[0].text: row[-1].text for row in block(section(sampler.TOPIC, context), "table-attempts").rows}
    assert shown["Smallest bulk ESS"] == "1,726"
    assert by_name(context)["ess"].measure.startswith("1,726 draws")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("intercept", "average level"),
        ("days", "average effect of days"),
        ("group SD 2", "SD between groups of the effect of days"),
        ("intercept of 309", "level of subject 309"),
        ("residual SD", "residual SD"),
    ],
)
def test_quantities_are_called_as_elsewhere_in_the_report(name: str, words: str) -> None:
    case = factories.regular_case()
    assert sampler.quantity_in_words(case.context, name) == words
    bayes = case.findings.bayes
    last = bayes.attempts[-1]
    found = replace(last, diagnostics=replace(last.diagnostics, worst=name))
    context = changed(case, bayes=replace(bayes, attempts=(found,)))
    assert block(section(sampler.TOPIC, context), "table-attempts").note.endswith(f"that of the {words}.")


def test_the_extended_model_has_attempts_of_its_own() -> None:
    context = context_of_sampled(sampled("curved"))
    made = block(section(sampler.TOPIC, context), "table-attempts-extended")
    shown = {row[0].text: row[2].text for row in made.rows}
    told = summary_of(context)["fits"]["bayes_extended"]
    assert shown["Largest R-hat"] == f"{told['diagnostics']['rhat_max']:.4f}"
    assert shown["Smallest bulk ESS"] == f"{told['diagnostics']['ess_bulk_min']:,.0f}"
    assert told["attempts"][-1]["diagnostics"] == told["diagnostics"]
    assert told["diagnostics"] != summary_of(context)["fits"]["bayes"]["diagnostics"]


def test_without_an_extended_model_there_is_one_table_of_attempts() -> None:
    made = section(sampler.TOPIC, context_of_sampled(sampled("sleepstudy")))
    with pytest.raises(KeyError):
        block(made, "table-attempts-extended")


def by_resampling(
    study: Study, products: ModelCrossProducts, scaling: Scaling, fits: LeastSquaresFits, seed: int
) -> Posterior:
    made = resampled_posterior(study, products, scaling, seed, lambda _: None)
    assert made is not None
    return made


def test_resampled_draws_are_told_as_such() -> None:
    """No chains, so no R-hat, no rank plots, no traces; Pareto k and effective sizes instead, in page and summary."""
    data = simulated(2, [8] * 60, sd=(3.0, 1.0))
    context = context_of_sampled(sampled_of(data, study_of(data), by_resampling))
    found = section(sampler.TOPIC, context)
    assert "importance resampling" in sampler.TOPIC.finding(context)
    assert not [each for each in found.blocks if isinstance(each, (Panels, Figure))]
    told = {row[0].text: row[-1].text for row in block(found, "table-attempts").rows}
    assert told["Method"] == "importance resampling"
    assert told["Pareto k of the importance weights"]
    assert not any("R-hat" in name or "Divergent" in name for name in told)
    assert told["Judgement"] == "every threshold holds"
    kinds = {one.kind for one in context.findings.judgements}
    assert {"weights", "ess"} <= kinds
    assert not {"rhat", "divergences", "treedepth", "ebfmi"} & kinds
    bayes = summary_of(context)["fits"]["bayes"]
    summed = json.loads(json.dumps(bayes["diagnostics"]))
    assert summed["rhat_max"] is None
    assert summed["ess_bulk_min"] > 400
