"""Models that answer: which program, what it is given, and how its draws are read."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy.special import logsumexp
from scipy.stats import gamma, norm
from scipy.stats import t as student_t

from tasks.engines.engines import EmbeddedEngine
from tasks.engines.sample import sample_answer
from tasks.stats.bayes import answer as module
from tasks.stats.bayes.answer import Answer, AnswerModel, answer_fit, answer_model
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.fits.mean_structure import Added, mean_structure, refit, with_terms
from tasks.stats.records import Floats, GroupedData, PosteriorDraws
from tests.datasets import model_of, simulated
from tests.posteriors import SEED, sampled, study_of
from tests.worlds.simulate import Design, Simulated, simulate

CURVE, SIZE, CONTEXT = Added("curve", 1), Added("size"), Added("context", 1)
SPREADS, STUDENT, BOTH = Answer(is_unequal=True), Answer(is_heavy=True), Answer(is_unequal=True, is_heavy=True)


def made(answer: Answer, data: GroupedData, **fields: object) -> AnswerModel:
    products, scaling = model_of(data)
    study = study_of(data, **fields)
    fit = refit(mean_structure(products, answer.added, answer.serial), (0, *study.varying_columns))
    return answer_model(answer, fit, data, resolve_priors(study, scaling), scaling, seed=1)


def drawn(model: AnswerModel, data: GroupedData) -> PosteriorDraws:
    """Fewer draws than in a run, and limits that so few can hold."""
    few = {"chains": 2, "warmup": 600, "draws": 600}
    study = study_of(data, sampler=few, thresholds={"rhat": 1.03})
    return sample_answer(EmbeddedEngine(), study, model, SEED, lambda _: None)[0]


@cache
def world(answer: Answer) -> Simulated:
    """Twelve groups with a curve, and what the answer is an answer to."""
    plain = Design(groups=12, rows=(10, 30), curve=1.5)
    return simulate(replace(plain, noise="t", shape=3.0) if answer.is_heavy else replace(plain, spread=0.6), (5,))


@cache
def sampled_of(answer: Answer) -> tuple[AnswerModel, PosteriorDraws]:
    data = world(answer).data
    model = made(answer, data)
    return model, drawn(model, data)


@pytest.mark.parametrize(
    ("answer", "program", "is_needed"),
    [
        (Answer(), "marginal", False),
        (Answer(added=(CURVE,)), "marginal", True),
        (Answer(serial=0.2), "marginal", True),
        (SPREADS, "spreads", True),
        (STUDENT, "student", True),
        (BOTH, "student", True),
    ],
)
def test_the_program_that_answers(answer: Answer, program: str, is_needed: bool) -> None:
    assert (answer.program, answer.is_needed) == (f"partial_pooling_{program}", is_needed)


def test_priors_of_added_terms_are_as_wide_per_sd_as_those_of_slopes() -> None:
    data = simulated(2, [4, 9, 16, 7, 12, 5])
    model = made(Answer(added=(CURVE, SIZE, CONTEXT)), data)
    wide, _ = with_terms(data, model.scaling, model.structure)
    expected = 2.5 * model.scaling.outcome_scale / wide.x[:, 1:].std(axis=0)
    np.testing.assert_allclose(model.priors.beta_sd[2:], expected, rtol=1e-6)
    np.testing.assert_array_equal(model.priors.beta_mean[2:], 0.0)
    assert model.priors.beta_sd[1] == pytest.approx(2.5 * model.scaling.outcome_scale)


def test_serial_answers_count_rows_and_not_their_whitened_sums() -> None:
    data = simulated(2, [4, 9, 16, 7, 12, 5])
    assert made(Answer(serial=0.3), data).inputs["N"] == data.n_rows
    np.testing.assert_allclose(made(Answer(is_unequal=True, serial=0.3), data).inputs["n"], [4, 9, 16, 7, 12, 5])


def test_where_rows_follow_one_another_the_residual_sd_is_that_of_a_row_not_of_what_is_new_in_it() -> None:
    data = simulate(Design(groups=20, rows=(40, 60), serial=0.6, sigma=4.0), (8,)).data
    model = made(Answer(serial=0.6), data)
    own = drawn(model, data).sigma.mean()
    assert own == pytest.approx(4.0, rel=0.1)  # what is new in a row has an SD of 3.2


def test_programs_on_rows_take_a_sample_of_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    data = simulated(2, [40] * 6)
    assert made(STUDENT, data).inputs["N"] == 240
    monkeypatch.setattr(module, "ROWS_LIMIT", 100)
    some = made(STUDENT, data).inputs
    assert some["N"] == 100 == some["y"].size == some["X"].shape[0]
    assert len({tuple(row) for row in np.round(some["X"], 12)}) == 100


@pytest.mark.parametrize("answer", [Answer(added=(CURVE,), is_unequal=True), Answer(added=(CURVE,), is_heavy=True)])
def test_groups_curve_and_averages_are_near_the_truth(answer: Answer) -> None:
    """Four posterior SDs for the worst of 24 numbers; nine in ten within two of them."""
    truth = world(answer)
    model, draws = sampled_of(answer)
    found = answer_fit(model, draws)
    expected = np.column_stack([truth.level, truth.slope])
    away = np.abs(found.groups.mean - expected) / found.groups.sd
    assert away.max() < 4
    assert (away < 2).mean() > 0.88
    assert found.fixef.lower[2] < 1.5 * truth.data.x.var() < found.fixef.upper[2]
    assert found.terms == ("intercept", "x1", "x1²")
    np.testing.assert_array_equal(found.average.mean, found.fixef.mean[:2])
    assert (found.spread is None, found.nu is None) == (answer.is_heavy, not answer.is_heavy)


def test_each_groups_residual_sd_is_near_that_of_its_rows() -> None:
    answer = Answer(added=(CURVE,), is_unequal=True)
    (model, draws), data = sampled_of(answer), world(answer).data
    own = refit(model.structure, (0, 1)).residual_sd
    assert draws.group_sigma is not None
    assert draws.spread is not None
    middle = np.median(draws.group_sigma, axis=(0, 1))
    many = np.bincount(data.group_index) >= 15
    np.testing.assert_allclose(middle[many], own[many], rtol=0.25)
    assert own.max() / own.min() > 2
    assert np.quantile(draws.spread, 0.005) < 0.6 < np.quantile(draws.spread, 0.995)


@pytest.mark.parametrize("answer", [replace(SPREADS, added=(CURVE,)), BOTH])
def test_student_rows_and_spreads_together_are_read_too(answer: Answer) -> None:
    _, draws = sampled_of(answer)
    assert draws.group_sigma is not None
    assert draws.spread is not None
    assert draws.group_sigma.shape == (*draws.sigma.shape, 12)
    assert draws.spread.shape == draws.sigma.shape
    assert (draws.nu is not None) is answer.is_heavy
    typical = np.exp(np.log(draws.group_sigma).mean(axis=-1))
    assert np.corrcoef(typical.ravel(), draws.sigma.ravel())[0, 1] > 0.2


def test_levels_of_groups_have_the_added_terms_of_groups() -> None:
    """A group's level is where its own size and its own mean put it; squares are 0 there."""
    data = simulated(2, [4, 9, 16, 7, 12, 5])
    model = made(Answer(added=(CONTEXT, CURVE, SIZE)), data)
    draws = drawn(model, data)
    groups = model.group_draws(draws)
    wide, _ = with_terms(data, model.scaling, model.structure)
    first = [np.flatnonzero(data.group_index == j)[0] for j in range(6)]
    for j in range(6):
        level = draws.group_coef[:, :, j, 0] + draws.beta[..., 3:] @ wide.x[first[j], 2:]
        np.testing.assert_allclose(groups[:, :, j, 0], level, rtol=1e-9)
        np.testing.assert_array_equal(groups[:, :, j, 1], draws.group_coef[:, :, j, 1])
    own = model.on_own_terms(draws)
    np.testing.assert_array_equal(own.group_coef, groups)
    np.testing.assert_array_equal(own.beta, draws.beta[..., :2])
    explained = draws.beta[..., 3:] @ wide.x[first, 2:].T
    apart = np.sqrt(draws.sigma_group[..., 0] ** 2 + explained.var(axis=-1))
    found = answer_fit(model, draws)
    np.testing.assert_allclose(found.spread_of_groups.median[0], np.median(apart), rtol=1e-9)
    np.testing.assert_array_equal(found.spread_of_groups.median[1], found.sigma_group.median[1])
    icc = apart**2 / (apart**2 + draws.sigma**2)
    np.testing.assert_allclose(found.icc.mean, icc.mean(), rtol=1e-9)


def test_student_posterior_is_that_of_the_normal_one_weighed_anew() -> None:
    """Draws of the marginal program with nu from its prior, weighed by what Student rows make of the likelihood."""
    have = sampled("dyestuff")
    draws, s = have.draws, have.scaling.outcome_scale
    x = design_matrix(have.data, have.scaling)
    rng, nu = np.random.default_rng(1), np.empty(0)
    while nu.size < draws.sigma.size:
        nu = np.append(nu, (more := rng.gamma(2.0, 10.0, 4000))[more > 1])
    nu = nu[: draws.sigma.size, None]
    coef = draws.group_coef.reshape(-1, 6, 1)
    mean = (x * coef[:, have.data.group_index]).sum(axis=-1)
    sigma = draws.sigma.reshape(-1, 1)
    log_weight = (student_t.logpdf(have.data.y, nu, mean, sigma) - norm.logpdf(have.data.y, mean, sigma)).sum(axis=1)
    weight = np.exp(log_weight - logsumexp(log_weight))
    assert 1 / (weight**2).sum() > 400
    student = drawn(made(STUDENT, have.data), have.data)
    assert student.nu is not None
    pairs = {
        "level": (draws.beta[..., 0], student.beta[..., 0], 0.0),
        "log sigma": (np.log(draws.sigma), np.log(student.sigma), np.log(s)),
        "group SD": (draws.sigma_group[..., 0], student.sigma_group[..., 0], 0.0),
        "first group": (draws.group_coef[..., 0, 0], student.group_coef[..., 0, 0], 0.0),
        "last group": (draws.group_coef[..., 5, 0], student.group_coef[..., 5, 0], 0.0),
        "log nu": (np.log(nu).reshape(draws.sigma.shape), np.log(student.nu), 0.0),
    }
    for name, (proposed, sampled_, _) in pairs.items():
        expected, error = weighed(proposed, weight)
        theirs = float(array_stats.mcse(sampled_, method="mean", chain_axis=0, draw_axis=1))
        assert abs(sampled_.mean() - expected) < 4 * np.hypot(error, theirs), name
        assert np.hypot(error, theirs) < 0.1 * sampled_.std(), name
    assert gamma.cdf(1.0, 2, scale=10) < 0.005
    assert student.nu.min() > 1


def weighed(values: Floats, weight: Floats) -> tuple[float, float]:
    """The weighted mean and its Monte Carlo error, draws taken as independent."""
    flat = values.ravel()
    mean = float(weight @ flat)
    return mean, float(np.sqrt((weight**2 * (flat - mean) ** 2).sum()))
