"""Everything a report says, from the fits and the posterior: each analysis, each judgement, the verdict."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from tasks.stats.bayes.bayes_fit import bayes_fit, variance_components
from tasks.stats.bayes.diagnostics import judge_sampler
from tasks.stats.bayes.loo import judge_pareto_k, loo
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.likelihood_profile import LikelihoodProfile, likelihood_profiles
from tasks.stats.fits.mean_structure import with_terms
from tasks.stats.judged.answer_scores import AnswerScores, answer_scores
from tasks.stats.judged.assumptions import Assumptions
from tasks.stats.judged.cross_validation import BayesModel, CrossValidation, cross_validation
from tasks.stats.judged.funnel import Funnel, funnel
from tasks.stats.judged.held_out import LeaveOneGroupOut, leave_one_group_out
from tasks.stats.judged.influence import Influence, influence, judge_influence
from tasks.stats.judged.joint_test import JointTest, joint_tests
from tasks.stats.judged.likelihood_ratio_test import LikelihoodRatioTest, judge_likelihood_ratio, likelihood_ratio_test
from tasks.stats.judged.pit import LooPit, judge_loo_pit, loo_pit
from tasks.stats.judged.predictive_density import PredictiveDensity, predictive_density
from tasks.stats.judged.prior_predictive import PriorPredictive, judge_prior_predictive, prior_predictive
from tasks.stats.judged.prior_sensitivity import PriorSensitivity, judge_prior_sensitivity, prior_sensitivity
from tasks.stats.judged.r_squared import RSquared, r_squared
from tasks.stats.judged.ranks import Ranks, ranks
from tasks.stats.judged.recommended import Recommended
from tasks.stats.judged.remedies import Remedies, remedies
from tasks.stats.judged.screening import Screening
from tasks.stats.judged.simpson import judge_simpson, simpson_checks
from tasks.stats.judged.size_trend import SizeTrend, size_trend
from tasks.stats.judgement import Judgement
from tasks.stats.records import (
    BayesFit,
    CompletePooling,
    GroupedData,
    Integers,
    LooResult,
    PosteriorDraws,
    Scaling,
    SimpsonCheck,
    VarianceComponents,
    Verdict,
)
from tasks.stats.rows.data_findings import DataFindings, judge_data
from tasks.stats.side_by_side import Start, side_by_side
from tasks.stats.weighed import (
    Answered,
    LeastSquaresFits,
    Posterior,
    Weighed,
    conclude,
    judge_fits,
    judge_model,
    replicating,
    weigh,
)
from tasks.study.model import Study
from tasks.study.run import RunRecord
from tasks.study.settings import Thresholds

UNJUDGED = Verdict("use", "bayes")


@dataclass(frozen=True)
class Findings(Weighed):
    """Everything a report says, before it is put in words and pictures. An analysis is None if data are too few."""

    run: RunRecord
    rows: DataFindings
    labels: tuple[str, ...]
    group_sizes: Integers  # (J,)
    scaling: Scaling
    complete: CompletePooling
    bayes: BayesFit
    variance_components: VarianceComponents
    r_squared: RSquared  # of the fullest fit, and of the plain Bayesian model
    simpson: tuple[SimpsonCheck, ...]
    joint_tests: tuple[JointTest, ...]  # one per category
    ranks: Ranks
    funnel: Funnel
    size_trend: SizeTrend | None  # `size_trend.why_no_trend` says why it is None
    prior_predictive: PriorPredictive
    prior_sensitivity: PriorSensitivity
    likelihood_ratio_test: LikelihoodRatioTest
    likelihood_profiles: tuple[LikelihoodProfile, ...]  # one per varying effect of the fullest fit
    cross_validation: CrossValidation | None
    leave_one_group_out: LeaveOneGroupOut | None
    loo_pit: LooPit | None  # of the answer, if there is one and its rows do not follow one another; else of `bayes`
    predictive_density: PredictiveDensity  # of the same model as `predictive`
    answer_scores: AnswerScores | None  # None where there is no answer
    influence: Influence | None
    remedies: Remedies | None  # None where the fullest fit is regular
    judgements: tuple[Judgement, ...] = ()
    verdict: Verdict = UNJUDGED
    recommended: Recommended | None = None  # None where no model can be trusted
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def assumptions(self) -> Assumptions:
        """Of the rows, by the REML fit of the model that answers what was found."""
        return self.screening.assumptions


def find(
    study: Study,
    run: RunRecord,
    rows: DataFindings,
    data: GroupedData,
    products: ModelCrossProducts,
    scaling: Scaling,
    fits: LeastSquaresFits,
    posterior: Posterior,
    screening: Screening,
    answered: Answered | None,
) -> Findings:
    """Analyse the fits and the posteriors, judge the findings, and draw the verdict.

    `rows` holds the findings made before the fits; `data` are all rows or a sample of them.
    """
    found = analysed(study, run, rows, data, products, scaling, fits, posterior, screening, answered)
    return concluded(study, found)


def concluded(study: Study, found: Findings) -> Findings:
    """`found` with its judgements and the verdict that follows from them."""
    judgements = judge(study, found)
    drawn, numbers = conclude(found, judgements)
    return replace(found, judgements=judgements, verdict=drawn, recommended=numbers)


def judge(study: Study, found: Findings) -> tuple[Judgement, ...]:
    """Every judgement of a report, data first."""
    limits, bayes = study.thresholds, found.bayes
    return (
        *judge_data(found.rows, study),
        *judge_simpson(found.simpson, found.rows.collinearity),
        *judge_fits(found, limits),
        *judge_likelihood_ratio(found.likelihood_ratio_test),
        *judge_model(found, limits),
        *judge_sampler(bayes.diagnostics, limits, bayes.attempts[-1].chains),
        *judge_pareto_k(bayes.loo),
        *judge_loo_pit(found.loo_pit),
        *judge_influence(found.influence, limits.influence),
        *judge_prior_predictive(found.prior_predictive),
        *judge_prior_sensitivity(found.prior_sensitivity),
    )


def analysed(
    study: Study,
    run: RunRecord,
    rows: DataFindings,
    data: GroupedData,
    products: ModelCrossProducts,
    scaling: Scaling,
    fits: LeastSquaresFits,
    posterior: Posterior,
    screening: Screening,
    answered: Answered | None,
) -> Findings:
    """Run every analysis, one line each. Nothing is judged yet.

    Those that do not need one another run side by side where groups are many; the slowest begin first.
    """
    limits, seed, draws = study.thresholds, run.seed, posterior.draws
    fullest, complete, partial = fits.fullest, fits.complete, dict(fits.partial)
    simpson = simpson_checks(products, complete, screening.missing)
    levels = funnel(products, simpson, partial)
    with side_by_side(len(products.labels)) as start:
        weighing = start(weigh, limits, data, products, scaling, fits, posterior, screening, answered, seed)
        scoring = start(loo, data, products, fullest.varying, draws, scaling, limits.pareto_k, seed)
        begun = _begun(start, study, data, products, scaling, fits, draws, answered, seed)
        begun["size_trend"] = start(size_trend, levels, fullest, data, products, scaling, limits.size_trend, seed)
        rows_scored = scoring.result()
        answering = start(_answer_scores, data, products.n_rows, scaling, answered, rows_scored, limits, seed)
    weighed, scores = weighing.result(), answering.result()
    bayes = bayes_fit(weighed.plain_bayes, draws, products, posterior.attempts, rows_scored, posterior.engine)
    return Findings(
        **vars(weighed),
        **{name: each.result() for name, each in begun.items()},
        run=run,
        rows=rows,
        labels=products.labels,
        group_sizes=fits.no_pooling.n,
        scaling=scaling,
        complete=complete,
        bayes=bayes,
        variance_components=variance_components(fullest, bayes, products.terms),
        r_squared=r_squared(products, fullest, draws),
        simpson=simpson,
        joint_tests=joint_tests(products, fullest),
        funnel=levels,
        loo_pit=loo_pit(((scores and scores.loo) or rows_scored).pit, seed),
        answer_scores=scores,
        remedies=remedies(products, complete, partial, bayes, weighed.bootstrap, limits.singular_tolerance),
    )


def _begun(
    start: Start,
    study: Study,
    data: GroupedData,
    products: ModelCrossProducts,
    scaling: Scaling,
    fits: LeastSquaresFits,
    draws: PosteriorDraws,
    answered: Answered | None,
    seed: int,
) -> dict[str, Future[Any]]:
    """The analyses that need the fits only, by their names in `Findings`."""
    limits, fullest, partial = study.thresholds, fits.fullest, dict(fits.partial)
    varying, priors, k = fullest.varying, resolve_priors(study, scaling), limits.pareto_k
    own_draws = answered.own_draws if answered else None
    models = _bayes_models(data, products, scaling, varying, draws, answered)
    tail = limits.prior_predictive_tail
    return {
        "likelihood_ratio_test": start(likelihood_ratio_test, products, partial, seed),
        "ranks": start(ranks, own_draws or draws, products, varying, limits.rankability),
        "leave_one_group_out": start(leave_one_group_out, data, products, scaling, varying, draws, k, seed),
        "likelihood_profiles": start(likelihood_profiles, products, fullest),
        "cross_validation": start(cross_validation, data, products, scaling, partial, models, k, seed),
        "prior_sensitivity": start(prior_sensitivity, products, varying, draws, priors, limits.prior_sensitivity),
        "prior_predictive": start(prior_predictive, data, varying, priors, scaling, tail, seed),
        "influence": start(influence, products, fullest),
        "predictive_density": start(predictive_density, *replicating(data, scaling, draws, answered), seed),
    }


def _answer_scores(
    data: GroupedData,
    n_rows: int,
    scaling: Scaling,
    answered: Answered | None,
    plain: LooResult,
    limits: Thresholds,
    seed: int,
) -> AnswerScores | None:
    if answered is None or answered.posterior is None:
        return None
    model, draws = answered.model, answered.posterior.draws
    return answer_scores(data, n_rows, scaling, model, draws, plain, limits.pareto_k, seed)


def _bayes_models(
    data: GroupedData,
    products: ModelCrossProducts,
    scaling: Scaling,
    varying: tuple[int, ...],
    draws: PosteriorDraws,
    answered: Answered | None,
) -> dict[str, BayesModel]:
    """Those that sums can cross-validate: with normal rows that do not follow one another."""
    models = {"bayes": BayesModel(data, products, scaling, varying, draws)}
    if answered is None or answered.posterior is None or answered.model.answer.serial or answered.model.answer.is_heavy:
        return models
    structure = answered.model.structure
    wide = with_terms(data, scaling, structure)
    extended = BayesModel(wide[0], structure.products, wide[1], varying, answered.posterior.draws)
    return {**models, "bayes_extended": extended}
