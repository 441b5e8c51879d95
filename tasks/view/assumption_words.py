"""Whether rows scatter as the model assumes, in words."""

from __future__ import annotations

from tasks.stats.assumptions import QQ, Assumptions
from tasks.view import numbers
from tasks.view.context import Context

HEAVY, LIGHT, SKEWED = 4.0, 2.4, 0.5  # kurtosis and skewness that an eye sees; a normal has 3 and 0


def assumptions_finding(context: Context, found: Assumptions) -> str:
    return f"{spread(context, found)} {shape(found.qq, found.n_rows_used)}"


def spread(context: Context, found: Assumptions) -> str:
    if found.n_compared < 2:
        return "Too few groups have enough rows to compare how far their rows scatter."
    test = f"(Brown–Forsythe p {p_value(found.p_value)})"
    ratio = numbers.fixed(found.ratio, 1)
    if found.is_unequal:
        names = numbers.listed((context.named(int(j)) for j in found.apart), limit=3)
        who = f": {names} most clearly" if names else ""
        far = f"Rows scatter {ratio} times as far in the widest group as in the narrowest, allowing for chance"
        return f"{far} {test}{who}."
    if found.p_value < found.p_limit:
        return f"Rows scatter a little more in some groups than in others {test}, not enough to matter."
    if found.p_value < 0.05:
        return f"There is some sign, not a clear one, that rows scatter more in some groups than in others {test}."
    return f"There is no sign that rows scatter more in some groups than in others {test}."


def p_value(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"= {numbers.fixed(value, 3)}"


def shape(qq: QQ, n_rows: int) -> str:
    """Names a departure only when rows leave the band and an eye would see it."""
    if not qq.n_outside:
        return "Their residuals show no departure from a normal distribution that chance would not explain."
    outside = f"{numbers.count(qq.n_outside)} of {numbers.plural(n_rows, 'row')} lie outside what a normal would do"
    if abs(qq.skewness) >= SKEWED:
        side = "high" if qq.skewness > 0 else "low"
        return f"Residuals are skewed, with more far {side} values than a normal distribution has ({outside})."
    if qq.kurtosis >= HEAVY:
        return f"Residuals have heavier tails than a normal distribution ({outside}): a few rows lie far off."
    if qq.kurtosis <= LIGHT:
        return f"Residuals have lighter tails than a normal distribution ({outside})."
    return f"Residuals depart from a normal distribution, but little ({outside})."
