"""Whether predictions of single rows are calibrated, in words: by level, as tails can differ from the middle."""

from __future__ import annotations

from tasks.stats.judged.pit import LooPit, Shape
from tasks.stats.judgement import Judgement
from tasks.view.context import Context
from tasks.view.topic import Case, CheckSpec, Words
from tasks.view.words import numbers, text

PIT_GUIDE = (
    "For every row the model is asked, without that row: how probable is an outcome below the one observed? If its "
    "predictions are right, one row in ten has a probability below 10 %, half of the rows one below 50 %, and so on. "
    "The curve shows how far the rows depart from this. Chance alone keeps all of the curve within the grey band in "
    "at least 95 of 100 studies. It rises on the left and falls on the right where predictions are too narrow, and "
    "does the opposite where they are too wide; where rows are skewed, more than half of them lie to one side of what "
    "is expected, which lifts or lowers the whole curve."
)
CURVES: dict[Shape, str] = {
    "calibrated": "The curve stays within the band.",
    "too_narrow": "The curve leaves the band, high on the left and low on the right.",
    "too_wide": "The curve leaves the band, low on the left and high on the right.",
    "too_high": "The curve leaves the band upwards.",
    "too_low": "The curve leaves the band downwards.",
    "other": "The curve leaves the band in a way that is neither a shift nor a wrong width.",
}


def _spread_otherwise(context: Context, judged: Judgement) -> str:
    return f"Rows are spread otherwise around their predictions than the model expects. {_held(context)}"


def _skewed(context: Context, judged: Judgement) -> str:
    found = _pit(context)
    side = "above" if found.share_above > 0.5 else "below"
    share = _share(max(found.share_above, 1 - found.share_above))
    return (
        f"Predictions hold on average, but rows are skewed around them: {share} of the rows lie {side} the middle of "
        f"their prediction, where half should. {_held(context)}"
    )


def _held(context: Context) -> str:
    """How many rows the intervals hold, level by level; whether they are too narrow only if the curve leaves its band.

    Tails can be light where the middle is not, so that no one word is right for all levels.
    """
    found = _pit(context)
    widths = [f" ({one.width})" if found.shape != "calibrated" else "" for one in found.held]
    first, *others = (
        f"in their {numbers.percent(one.level)} intervals {{}}{_share(one.share)}{{}}{width}"
        for one, width in zip(found.held, widths, strict=True)
    )
    told = [first.format("lie ", " of the rows"), *(other.format("", "") for other in others)]
    return f"{text.sentence_case(numbers.listed(told))}."


def _pit(context: Context) -> LooPit:
    assert context.findings.loo_pit is not None
    return context.findings.loo_pit


def _share(value: float) -> str:
    """Per cent with a decimal, as the shares stand beside levels such as 95 %."""
    return f"{numbers.fixed(100 * value, 1)}{numbers.THIN_SPACE}%"


def _pit_case(message: Words[Context]) -> Case[Context]:
    return Case(
        message,
        "Averages and group estimates can still hold; do not rely on the model’s intervals for single rows.",
        "Do not predict single rows from it: its margins for them are off.",
    )


PIT: CheckSpec[Context] = CheckSpec(
    kind="loo_pit",
    title="Predictions of rows are calibrated (LOO-PIT)",
    measure="{share} outside the band",
    cases={
        "calibrated": Case(
            lambda context, judged: f"Rows lie as far from their predictions as the model expects. {_held(context)}"
        ),
        **{case: _pit_case(_spread_otherwise) for case in ("too_narrow", "too_wide", "other")},
        **{case: _pit_case(_skewed) for case in ("too_high", "too_low")},
    },
)
