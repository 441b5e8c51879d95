import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.view.figures import histograms, intervals, panels, scatter, style
from tasks.view.figures.displacement import CROWD, Stage, displacement
from tasks.view.figures.names import MOST_NAMED, named, standing_out
from tasks.view.figures.strips import Strips, strip_plot

AXES = {"x_axis": style.axis(), "y_axis": style.axis()}
HOSTILE = "<b>x</b> & %{y} $a$ \u202e"


def test_text_is_inert_in_plotly():
    shown = style.text(HOSTILE)
    assert not set("<>%$") & set(shown)
    assert shown.startswith("&lt;b&gt;x")


def test_numbers_are_json_with_null_for_gaps_and_keep_small_differences_on_large_offsets():
    values = [1e6 + 0.001, 1e6 + 0.002, np.nan, np.inf]
    shown = style.numbers(values)
    assert shown[2:] == [None, None]
    assert shown[1] - shown[0] == pytest.approx(0.001, rel=1e-3)
    json.dumps(shown, allow_nan=False)


def test_every_model_has_its_own_colour_dash_and_symbol():
    styles = style.MODELS.values()
    for part in ("color", "dash", "symbol"):
        assert len({getattr(one, part) for one in styles}) == len(styles)


@pytest.mark.parametrize("color", [one.color for one in style.MODELS.values()])
@pytest.mark.parametrize("paper", ["#ffffff", "#14171c"])
def test_model_colours_stand_out_from_light_and_dark_paper(color, paper):
    """WCAG 2.1, 1.4.11: at least 3 to 1 for graphics."""
    lighter, darker = sorted((_luminance(color), _luminance(paper)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def _luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_panel_leaves_out_the_line_of_a_model_without_a_fit():
    x = np.array([0.0, 1.0])
    lines = {"no_pooling": np.array([np.nan, np.nan]), "bayes": np.array([1.0, 2.0])}
    spec = panels.group_panel(x, x, lines, line_x=x, **AXES)
    assert [trace.get("name") for trace in spec["data"]] == [None, "Bayes"]


THREE_MODELS = ("no_pooling", "partial_pooling", "bayes")


def stages_of(start, end):
    hover = style.hover_estimate([3] * end.size, style.Shown(end - 1, end + 1))
    return [Stage(model, at, at, hover) for model, at in zip(THREE_MODELS, (start, end, end), strict=True)]


def named_in(spec):
    return next(trace for trace in spec["data"] if "text" in trace["mode"])


def test_displacement_shows_each_models_estimates_in_its_symbol_and_the_way_between_them():
    starts, ends = np.array([1.0, np.nan]), np.array([2.0, 3.0])
    spec = displacement(["a", "<b>"], np.array([7, 5]), stages_of(starts, ends), np.ones(2), **AXES, target=(2.5, 2.5))
    marks = {trace["name"]: trace for trace in spec["data"] if "name" in trace}
    for model, at in zip(THREE_MODELS, ([1.0, None], [2.0, 3.0], [2.0, 3.0]), strict=True):
        trace = marks[style.MODELS[model].label]
        assert (trace["y"], trace["marker"]["symbol"]) == (at, style.MODELS[model].symbol)
        assert trace["text"] == ["a", "&lt;b&gt;"]
        assert trace["meta"]["groups"] == [7, 5]
    trails = spec["data"][0]
    assert trails["x"] == [1.0, 2.0, 2.0, None, None, 3.0, 3.0, None]
    assert trails["meta"]["groups"] == [7] * 4 + [5] * 4
    names = named_in(spec)
    assert (names["text"], names["y"]) == (["a", "&lt;b&gt;"], [1.0, 3.0])


def test_of_many_groups_those_that_move_farthest_stand_out_and_have_their_names():
    rng = np.random.default_rng(4)
    starts, far = rng.normal(size=300), rng.permutation(300).astype(float)
    far[7] = np.nan
    labels = [f"group {number}" for number in range(300)]
    spec = displacement(labels, np.arange(300), stages_of(starts, 0.5 * starts), far, **AXES)
    weak, strong = (trace for trace in spec["data"] if trace.get("name") == "Bayes")
    order = np.argsort(-np.nan_to_num(far, nan=-1.0))
    assert set(strong["meta"]["groups"]) == set(order[:CROWD])
    assert len(weak["x"]) == 300 - CROWD
    assert weak["marker"]["opacity"] < 0.5 < strong["marker"]["opacity"]
    assert set(named_in(spec)["meta"]["groups"]) == set(order[:MOST_NAMED])


@settings(max_examples=40)
@given(st.integers(1, 30), st.integers(0, 1000), st.booleans())
def test_every_named_point_has_one_side_and_of_many_points_only_the_farthest_have_names(n, seed, logarithmic):
    rng = np.random.default_rng(seed)
    x, y, far = 10 ** rng.normal(size=n), rng.normal(size=n), rng.permutation(n).astype(float)
    chosen = standing_out(far)
    assert far[chosen].min() >= n - MOST_NAMED
    axes = {"x_axis": style.axis(type="log" if logarithmic else "linear"), "y_axis": style.axis()}
    trace = named(x, y, [f"g{k}" for k in range(n)], np.arange(n), chosen, **axes)
    assert len(trace["x"]) == len(trace["textposition"]) == min(n, MOST_NAMED)
    assert trace["text"] == [f"g{k}" for k in chosen]


def test_a_name_at_an_edge_stays_in_the_picture():
    x = np.array([0.0, 0.5, 1.0])
    trace = named(
        x, np.full(3, 0.5), ["a long name", "another name", "a third name"], np.arange(3), np.arange(3), **AXES
    )
    assert trace["textposition"][0].endswith("right")
    assert trace["textposition"][2].endswith("left")


def test_names_of_points_that_lie_close_together_stand_on_different_sides():
    x, y = np.array([0.0, 0.5, 0.51, 1.0]), np.array([0.0, 0.5, 0.5, 1.0])
    trace = named(x, y, ["a", "one of two", "two of two", "b"], np.arange(4), np.arange(4), **AXES)
    assert trace["textposition"][1] != trace["textposition"][2]


def test_what_does_not_frame_a_picture_stretches_it_by_no_more_than_its_room():
    one, none = np.array([1.0, 2.0]), np.full(2, np.nan)
    far = intervals.Series("own", "#000000", "x", np.array([1.5, 90.0]), none, none, frames=False)
    pooled = intervals.Series("pooled", "#000000", "x", one, one - 1, one + 1)
    plot = intervals.interval_plot(["a", "b"], [far, pooled], x_title="")
    low, high = plot["layout"]["xaxis"]["range"]
    assert low < 0
    assert 3 < high < 3 + 1.1 * (0.3 + 0.06) * 3
    assert intervals.n_beyond([far, pooled]) == 1
    assert intervals.n_beyond([pooled]) == 0


def test_names_are_left_out_where_all_points_stand_above_one_another():
    trace = named(np.full(5, 4.5), np.arange(5.0), list("abcde"), np.arange(5), np.arange(5), **AXES)
    assert trace["text"] == []


def test_hover_tells_group_rows_estimate_and_interval_or_that_there_is_none():
    shown = style.Shown(np.array([1.0, np.nan]), np.array([2.0, np.nan]), "s<b>")
    whole, bare = style.hover_estimate([3, 4], shown)["hovertemplate"]
    assert style.hover_estimate([3, 4], shown)["customdata"] == [[3, 1.0, 2.0], [4, None, None]]
    assert "n = %{customdata[0]:,}" in whole
    assert "%{customdata[1]:,.4~r} to %{customdata[2]:,.4~r}" in whole
    assert "no interval" in bare
    assert "<b>s" not in whole
    assert "s&lt;b&gt;" in whole


def test_a_panels_ribbon_goes_along_its_upper_edge_and_back_along_the_lower():
    x = np.array([0.0, 1.0, 2.0])
    ribbon = np.array([[0.0, 0.5, 1.0], [2.0, 3.0, 4.0]])
    spec = panels.group_panel(x, x, {"bayes": x}, line_x=x, **AXES, ribbon=ribbon)
    trace = spec["data"][1]
    assert trace["x"] == [0, 1, 2, 2, 1, 0]
    assert trace["y"] == [2, 3, 4, 1, 0.5, 0]
    assert trace["fill"] == "toself"


def test_rows_in_strips_belong_to_their_group_and_stay_in_its_strip():
    rows = [np.array([1.0, 2.0, 4.0]), np.array([3.0])]
    quartiles = np.array([[1.5, 2.0, 3.0], [3.0, 3.0, 3.0]])
    spec = strip_plot(Strips(["a", "b"], [3, 1], np.array([9, 2]), rows, quartiles), "x", "s")
    dots, halves, medians = spec["data"]
    assert dots["meta"]["groups"] == [9, 9, 9, 2]
    assert all(abs(y - strip) < 0.5 for y, strip in zip(dots["y"], [0, 0, 0, 1], strict=True))
    assert halves["x"] == [1.5, 3.0, None, 3.0, 3.0, None]
    assert medians["x"] == [2.0, 3.0]
    assert spec["layout"]["yaxis"]["ticktext"] == ["a<br>n = 3", "b<br>n = 1"]


def test_groups_of_interval_rows_are_those_of_each_mark():
    ends = np.array([1.0, 2.0])
    series = [intervals.Series("a", "#000000", "circle", ends, ends - 1, ends + 1)]
    line, points = intervals.interval_plot(["x", "y"], series, x_title="", groups=np.array([4, 6]), n=[10, 20])["data"]
    assert line["meta"]["groups"] == [4, 4, 4, 6, 6, 6]
    assert points["meta"]["groups"] == [4, 6]
    assert [row[0] for row in points["customdata"]] == [10, 20]


def test_intervals_of_one_row_stand_beside_each_other():
    ends = np.array([1.0, 2.0])
    series = [intervals.Series(name, "#000000", "circle", ends, ends - 1, ends + 1) for name in "ab"]
    first, second = (trace["y"] for trace in intervals.interval_plot(["x", "y"], series, x_title="")["data"][1:4:2])
    assert all(a < b < a + 0.5 for a, b in zip(first, second, strict=True))


def test_legend_keys_show_a_symbol_on_a_line_where_there_are_intervals():
    ends, none = np.array([1.0, 2.0]), np.full(2, np.nan)
    series = [
        intervals.Series("with", "#000000", "circle", ends, ends - 1, ends + 1),
        intervals.Series("without", "#000000", "diamond", ends, none, none),
    ]
    drawn = intervals.interval_plot(["x", "y"], series, x_title="")["data"]
    keys = [trace for trace in drawn if trace.get("showlegend", True)]
    assert [(key["name"], key["mode"], key["x"]) for key in keys] == [
        ("with", "lines+markers", [None]),
        ("without", "markers", [None]),
    ]


def test_only_many_points_use_webgl():
    def kind(n):
        x = np.arange(1.0, n + 1)
        spec = scatter.scatter(x, x, names=None, color="#000000", x_axis=style.axis(), y_axis=style.axis())
        return spec["data"][0]["type"]

    assert kind(scatter.WEBGL_FROM - 1) == "scatter"
    assert kind(scatter.WEBGL_FROM) == "scattergl"


def test_ranks_of_agreeing_chains_are_flat_and_of_a_stuck_chain_are_not():
    draws = np.arange(4000.0).reshape(1000, 4).T
    assert (histograms.rank_counts(draws, 20) == 50).all()
    draws[0] = 1e6
    assert histograms.rank_counts(draws, 20)[0].tolist() == [0] * 15 + [200] * 5


def test_a_statistic_that_never_varies_still_makes_a_histogram():
    spec = histograms.replicated(np.full(100, 3.0), 3.0, x_title="s")
    assert sum(spec["data"][0]["y"]) == 100
