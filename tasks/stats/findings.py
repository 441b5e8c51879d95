"""Everything a report says, from the fits and the posterior: each analysis, each judgement, the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

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
from tasks.stats.judged.likelihood_ratio_test import LikelihoodRatioTest, judge_likelihood_ratio, likelihood_ratio_test
from tasks.stats.judged.pit import LooPit, judge_loo_pit, loo_pit
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
from tasks.stats.side_by_side import side_by_side
from tasks.stats.weighed import Answered, LeastSquaresFits, Posterior, Weighed, conclude, judge_fits, judge_model, weigh
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
    varying, priors = fullest.varying, resolve_priors(study, scaling)
    own_draws = answered.own_draws if answered else None
    with side_by_side(len(products.labels)) as start:
        weighed = start(weigh, limits, data, products, scaling, fits, posterior, screening, answered, seed)
        rows_left_out = start(loo, data, products, varying, draws, scaling, limits.pareto_k, seed)
        null_test = start(likelihood_ratio_test, products, partial, seed)
        ranked = start(ranks, own_draws or draws, products, varying, limits.rankability)
        groups_left_out = start(leave_one_group_out, data, products, scaling, varying, draws, limits.pareto_k, seed)
        profiled = start(likelihood_profiles, products, fullest)
        bayes_models = _bayes_models(data, products, scaling, varying, draws, answered)
        crossed = start(cross_validation, data, products, scaling, partial, bayes_models, limits.pareto_k, seed)
        sensitive = start(prior_sensitivity, products, varying, draws, priors, limits.prior_sensitivity)
        foreseen = start(prior_predictive, data, varying, priors, scaling, limits.prior_predictive_tail, seed)
        influential = start(influence, products, fullest)
        simpson = simpson_checks(products, complete, screening.missing)
        levels = funnel(products, simpson, partial)
        trend = start(size_trend, levels, fullest, data, products, scaling, limits.size_trend, seed)
        row_scores = rows_left_out.result()
        scores = start(_answer_scores, data, products.n_rows, scaling, answered, row_scores, limits, seed)
    answer_scored, weighty = scores.result(), weighed.result()
    bayes = bayes_fit(weighty.plain_bayes, draws, products, posterior.attempts, row_scores, posterior.engine)
    return Findings(
        **vars(weighty),
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
        ranks=ranked.result(),
        funnel=levels,
        size_trend=trend.result(),
        prior_predictive=foreseen.result(),
        prior_sensitivity=sensitive.result(),
        likelihood_ratio_test=null_test.result(),
        likelihood_profiles=profiled.result(),
        cross_validation=crossed.result(),
        leave_one_group_out=groups_left_out.result(),
        loo_pit=loo_pit(((answer_scored and answer_scored.loo) or row_scores).pit, seed),
        answer_scores=answer_scored,
        influence=influential.result(),
        remedies=remedies(products, complete, partial, bayes, weighty.bootstrap, limits.singular_tolerance),
    )


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
