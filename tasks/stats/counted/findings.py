"""Everything that a report on a counted outcome says: the twin of `tasks.stats.findings`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from tasks.stats.bayes.diagnostics import judge_sampler
from tasks.stats.bayes.loo import judge_pareto_k
from tasks.stats.counted.added_terms import counted_model, with_cells
from tasks.stats.counted.cell_rows import cells_of_rows
from tasks.stats.counted.drawn_log_lik import drawn_log_lik
from tasks.stats.counted.draws import CountedPosterior
from tasks.stats.counted.fits import CountedAnswered, CountedFits, all_draws, flat
from tasks.stats.counted.funnel_limits import CountedFunnel, counted_funnel
from tasks.stats.counted.group_sd_test import GroupSdTest, group_sd_test
from tasks.stats.counted.joint_test import JointWald, joint_wald_tests
from tasks.stats.counted.leave_one_out import MOST_DRAWS, left_out_cells, left_out_groups
from tasks.stats.counted.left_out import linear_predictor
from tasks.stats.counted.links import mean_of
from tasks.stats.counted.marginal_effects import MarginalEffects, marginal_effects_of_draws
from tasks.stats.counted.observed_expected import ObservedExpected
from tasks.stats.counted.predicted import Rootogram, rootogram
from tasks.stats.counted.prior_predictive import counted_prior_predictive
from tasks.stats.counted.prior_sensitivity import counted_prior_sensitivity
from tasks.stats.counted.priors import resolve_counted_priors
from tasks.stats.counted.ranks import counted_ranks
from tasks.stats.counted.remedies import CountedRemedies, counted_remedies
from tasks.stats.counted.screening import CountedScreening
from tasks.stats.counted.variance import CountedVariance, counted_variance
from tasks.stats.counted.weighed import (
    CountedRecommended,
    CountedWeighed,
    conclude_counted,
    judge_counted_fits,
    judge_counted_model,
    weigh_counted,
)
from tasks.stats.fits.cells import Cells
from tasks.stats.judged.likelihood_ratio_test import judge_likelihood_ratio
from tasks.stats.judged.prior_predictive import PriorPredictive, judge_prior_predictive
from tasks.stats.judged.prior_sensitivity import PriorSensitivity, judge_prior_sensitivity
from tasks.stats.judged.ranks import Ranks
from tasks.stats.judged.recommended import WithInterval
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, GroupedData, LooResult, Scaling, Verdict
from tasks.stats.rows.data_findings import DataFindings, judge_data
from tasks.stats.side_by_side import side_by_side
from tasks.study.model import Study
from tasks.study.run import RunRecord

UNJUDGED = Verdict("use", "bayes")
EFFECT_DRAWS = 1000


@dataclass(frozen=True)
class CountedFindings(CountedWeighed):
    """Everything a report says, before it is put in words and pictures. An analysis is None if data are too few."""

    run: RunRecord
    rows: DataFindings
    funnel: CountedFunnel  # about what is expected of each group
    target_funnel: CountedFunnel | None  # about the groups' targets; None where not every group has one
    effects: MarginalEffects  # of the answer, if there is one; else of the plain Bayesian fit
    joint_tests: tuple[JointWald, ...]  # one per category, of the same model
    rootogram: Rootogram  # of rows, by the fit with what is missing
    variance: CountedVariance
    ranks: Ranks  # of the groups' standardised rates, by the answer if there is one
    heterogeneity: WithInterval  # () median odds or rate ratio of two groups, by the same model
    group_sd_test: GroupSdTest  # of the plain fullest fit
    remedies: CountedRemedies | None  # None where the fullest fit is regular
    prior_predictive: PriorPredictive
    prior_sensitivity: PriorSensitivity  # of the plain model
    loo: LooResult  # of cells, by the plain model
    leave_one_group_out: LooResult  # by the plain model; `rows` are groups
    answer_left_out: LooResult | None  # the same by the answer
    judgements: tuple[Judgement, ...] = ()
    verdict: Verdict = UNJUDGED
    recommended: CountedRecommended | None = None  # None where no model can be trusted
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        return self.cells.labels


def find_counted(
    study: Study,
    run: RunRecord,
    rows: DataFindings,
    data: GroupedData,
    cells: Cells,
    scaling: Scaling,
    fits: CountedFits,
    posterior: CountedPosterior,
    screening: CountedScreening,
    answered: CountedAnswered | None,
) -> CountedFindings:
    """Analyse, judge and draw the verdict. `rows` are findings made before the fits, `data` all rows or a sample."""
    target, margin, limits = targets_of(study, cells.labels), study.rates.margin, study.thresholds
    plain, draws, k = counted_model(cells, scaling, fits.fullest.varying), posterior.draws, study.thresholds.pareto_k
    priors = resolve_counted_priors(study.priors, plain)
    model = answered.model if answered and answered.posterior else plain
    sampled = (answered.posterior if answered else None) or posterior
    with side_by_side(cells.events.size) as start:
        drawing = start(drawn_log_lik, plain, draws)
        weighing = start(weigh_counted, cells, scaling, fits, posterior, screening, answered, limits, margin, target)
        begun = {
            "group_sd_test": start(group_sd_test, plain, run.seed),
            "answer_left_out": start(_answer_left_out, answered, k),
            "effects": start(_effects, cells, scaling, sampled),
            "prior_predictive": start(counted_prior_predictive, plain, priors, limits.prior_predictive_tail, run.seed),
            "remedies": start(counted_remedies, plain, fits.fullest, limits.singular_tolerance),
            "rootogram": start(_rootogram, screening, data),
        }
        drawn = drawing.result()
        begun |= {
            "loo": start(left_out_cells, plain, drawn, k, run.seed),
            "prior_sensitivity": start(counted_prior_sensitivity, plain, drawn, priors, limits.prior_sensitivity),
            "leave_one_group_out": start(left_out_groups, plain, drawn, k),
        }
        weighed = weighing.result()
    found = CountedFindings(
        **vars(weighed),
        **{name: each.result() for name, each in begun.items()},
        run=run,
        rows=rows,
        funnel=_funnel(cells, weighed.expected),
        target_funnel=_about_targets(cells, target),
        joint_tests=joint_wald_tests(flat(sampled.draws.beta)[:, : len(cells.terms)], cells.terms, rows.categories),
        variance=(variance := counted_variance(weighed)),
        ranks=counted_ranks(model, plain, fits.fullest, sampled.draws, weighed.mix, limits.rankability),
        heterogeneity=variance.quoted.ratio,
    )
    return concluded_counted(study, found)


def _answer_left_out(answered: CountedAnswered | None, pareto_k: float | None) -> LooResult | None:
    """Groups left out by the answer; None where there is none, or its rows vary more than their family says."""
    if answered is None or answered.posterior is None or answered.model.is_overdispersed:
        return None
    drawn = drawn_log_lik(answered.model, answered.posterior.draws, MOST_DRAWS)
    return left_out_groups(answered.model, drawn, pareto_k)


def concluded_counted(study: Study, found: CountedFindings) -> CountedFindings:
    """`found` with its judgements and the verdict that follows from them."""
    judgements = judge_counted(study, found)
    drawn, numbers = conclude_counted(found, judgements)
    return replace(found, judgements=judgements, verdict=drawn, recommended=numbers)


def judge_counted(study: Study, found: CountedFindings) -> tuple[Judgement, ...]:
    """Every judgement of a report, data first."""
    limits, attempts = study.thresholds, found.bayes.attempts
    return (
        *judge_data(found.rows, study),
        *judge_counted_fits(found, limits),
        *judge_likelihood_ratio(found.group_sd_test),
        *judge_counted_model(found),
        *judge_sampler(attempts[-1].diagnostics, limits, attempts[-1].chains),
        *judge_pareto_k(found.loo),
        *judge_prior_predictive(found.prior_predictive),
        *judge_prior_sensitivity(found.prior_sensitivity),
    )


def targets_of(study: Study, labels: tuple[str, ...]) -> Floats:
    """(J,) the rate that each group should have; NaN without one."""
    every = np.nan if study.targets.all is None else study.targets.all
    return np.array([study.targets.groups.get(label, every) for label in labels], dtype=float)


def _rootogram(screening: CountedScreening, data: GroupedData) -> Rootogram:
    rows = with_cells(screening.model, cells_of_rows(data, screening.model.cells.family))
    return rootogram(rows.cells, mean_of(rows.cells.family, linear_predictor(rows, screening.fit)))


def _funnel(cells: Cells, expected: ObservedExpected | None) -> CountedFunnel:
    """About what is expected of each group's cases; about the overall rate where nothing can be expected."""
    events, size = cells.of_groups(cells.events), cells.of_groups(cells.size)
    overall = np.full(size.shape, events.sum() / size.sum())
    return counted_funnel(cells.family, events, size, overall if expected is None else expected.expected / size)


def _about_targets(cells: Cells, target: Floats) -> CountedFunnel | None:
    if np.isnan(target).any():
        return None
    return counted_funnel(cells.family, cells.of_groups(cells.events), cells.of_groups(cells.size), target)


def _effects(cells: Cells, scaling: Scaling, posterior: CountedPosterior) -> MarginalEffects:
    """By at most EFFECT_DRAWS draws, evenly spread, of which groups' effects were drawn too."""
    draws, p = posterior.draws, len(cells.terms)
    groups = all_draws(draws)
    average = flat(draws.beta[:, :: draws.group_thin])[:, :p]
    kept = np.linspace(0, len(groups) - 1, min(len(groups), EFFECT_DRAWS)).round().astype(int)
    return marginal_effects_of_draws(cells, scaling, average[kept], groups[kept])
