"""The figures and the table whose points are groups, as the sections make them."""

import numpy as np
import pytest

from tasks.view.figures.displacement import CROWD
from tasks.view.records import Figure, Fold, GroupTable, Panels, Paragraph
from tasks.view.selection import PANEL_ROWS_LIMIT
from tasks.view.topics import groups, rows_by_group, variance
from tasks.view.words import numbers
from tests import factories
from tests.posteriors import sampled
from tests.said import context_of_sampled, section

N_MANY = 500


@pytest.fixture(scope="module")
def few():
    return factories.singular_case().context


@pytest.fixture(scope="module")
def many():
    return factories.many_groups_case().context


@pytest.fixture(scope="module")
def batches():
    return context_of_sampled(sampled("dyestuff"))


def figures(made):
    return {block.id: block for block in made.blocks if isinstance(block, Figure)}


def value(text):
    return float(text.replace(numbers.MINUS, "-").replace(",", ""))


def test_rows_of_few_groups_are_shown_strip_by_strip_the_largest_group_first(few):
    found = figures(section(rows_by_group.TOPIC, few))
    assert set(found) == {"figure-rows"}
    dots, _, medians = found["figure-rows"].spec["data"]
    sizes = few.findings.group_sizes[medians["meta"]["groups"]]
    assert (np.diff(sizes) <= 0).all()
    assert len(dots["x"]) == np.minimum(few.findings.group_sizes, PANEL_ROWS_LIMIT).sum()
    for place, group in enumerate(medians["meta"]["groups"]):
        assert medians["x"][place] == pytest.approx(np.median(few.data.y[few.rows_of(group)]), rel=1e-3)


def test_of_many_groups_every_ones_median_is_shown(many):
    found = figures(section(rows_by_group.TOPIC, many))
    assert set(found) == {"figure-sizes", "figure-group-medians"}
    assert sum(found["figure-sizes"].spec["data"][0]["y"]) == N_MANY
    points = found["figure-group-medians"].spec["data"][0]
    assert sorted(points["meta"]["groups"]) == list(range(N_MANY))
    assert [row[0] for row in points["customdata"]] == many.findings.group_sizes[points["meta"]["groups"]].tolist()


def test_the_table_of_all_groups_holds_each_estimate_per_raw_unit(many):
    found = next(block for block in section(groups.TOPIC, many).blocks if isinstance(block, GroupTable))
    assert sorted(found.groups) == list(range(N_MANY))
    place = next(k for k, column in enumerate(found.columns) if column.title == "Effect of hours: Bayes")
    order = list(found.groups)
    expected = many.findings.bayes.groups.mean[order, 1] / many.raw_scale(1)
    half = 0.5 * 10.0 ** -len(found.cells[place][0].partition(".")[2])
    np.testing.assert_allclose([value(cell) for cell in found.cells[place]], expected, atol=1.0001 * half)
    lower = many.findings.bayes.groups.lower[order, 1] / many.raw_scale(1)
    ends = [value(detail.split(" to ")[0]) for detail in found.details[place]]
    np.testing.assert_allclose(ends, lower, atol=1.0001 * half)


def test_few_groups_are_read_per_raw_unit_and_as_fitted_behind_a_fold(few):
    folded = [block for block in section(groups.TOPIC, few).blocks if isinstance(block, Fold)][-1].blocks
    assert [table.id for table in folded] == ["table-estimates-1"]


def test_the_ribbon_holds_the_posteriors_lines(few):
    """At each point of a panel's line, 95 % of the draws' expected outcomes there."""
    panel = next(block for block in section(groups.TOPIC, few).blocks if isinstance(block, Panels)).panels[0]
    trace = panel.spec["data"][1]
    x, y = np.array(trace["x"], dtype=float), np.array(trace["y"], dtype=float)
    n = x.size // 2
    np.testing.assert_allclose(x[:n], x[n:][::-1])
    coef = few.draws.group_coef.reshape(few.draws.sigma.size, -1, 2)[:, panel.group]
    lines = coef[:, [0]] + coef[:, [1]] * (x[:n] - few.raw_center(1)) / few.raw_scale(1)
    lower, upper = np.quantile(lines, [0.025, 0.975], axis=0)
    np.testing.assert_allclose(y[:n], upper, atol=1e-3 * np.ptp(lines) + 1e-3)
    np.testing.assert_allclose(y[n:][::-1], lower, atol=1e-3 * np.ptp(lines) + 1e-3)


def test_the_ways_lead_from_own_estimates_to_those_of_bayes_in_raw_units(few):
    found = figures(section(variance.TOPIC, few))["figure-displacement-1"]
    bayes = next(trace for trace in found.spec["data"] if trace.get("name") == "Bayes")
    order, mean = bayes["meta"]["groups"], few.findings.bayes.groups.mean
    np.testing.assert_allclose(bayes["x"], mean[order, 0], rtol=1e-3)
    np.testing.assert_allclose(bayes["y"], mean[order, 1] / few.raw_scale(1), rtol=1e-3)
    assert sorted(order) == list(range(few.n_groups))


def test_of_many_groups_what_leaves_the_picture_is_counted_and_does_not_stand_out(many):
    found = figures(section(variance.TOPIC, many))["figure-displacement-1"]
    across, along = (found.spec["layout"][side]["range"] for side in ("xaxis", "yaxis"))
    beyond, marks = set(), [trace for trace in found.spec["data"] if "hovertemplate" in trace and "meta" in trace]
    for trace in marks:
        x, y = np.array(trace["x"], dtype=float), np.array(trace["y"], dtype=float)
        is_out = (x < across[0]) | (x > across[1]) | (y < along[0]) | (y > along[1])
        beyond |= set(np.array(trace["meta"]["groups"])[is_out])
    strong = {group for trace in marks if trace["showlegend"] for group in trace["meta"]["groups"]}
    assert beyond
    assert not beyond & strong
    assert f"of {numbers.plural(len(beyond), 'group')} reach beyond" in found.caption
    assert len(strong) == CROWD
    assert f"The {CROWD} that move farthest within it stand out." in found.caption


def test_groups_of_equal_size_stand_by_name_in_the_order_of_their_estimates(batches):
    found = figures(section(variance.TOPIC, batches))["figure-displacement-0"]
    order = next(trace for trace in found.spec["data"] if trace.get("name") == "Bayes")["meta"]["groups"]
    assert found.spec["layout"]["xaxis"]["ticktext"] == [batches.labels[group] for group in order]
    assert (np.diff(batches.findings.bayes.groups.mean[order, 0]) > 0).all()


def test_equal_shrinkage_needs_no_picture(batches):
    blocks = section(variance.TOPIC, batches).blocks
    assert "figure-shrinkage-0" not in [block.id for block in blocks if isinstance(block, Figure)]
    assert "the same in every group" in " ".join(block.text for block in blocks if isinstance(block, Paragraph))


@pytest.mark.parametrize("name", ["few", "many", "batches"])
def test_groups_are_named_to_every_mark_of_every_figure_of_groups(name, request):
    """So that choosing a group marks it everywhere: one group for each of a trace's points."""
    context = request.getfixturevalue(name)
    sections = [section(rows_by_group.TOPIC, context), section(variance.TOPIC, context)]
    for figure in (found for made in sections for found in figures(made).values()):
        for trace in figure.spec["data"]:
            if trace["type"] == "bar" or trace.get("name") == "average group" or figure.id == "figure-components":
                continue
            assert len(trace["meta"]["groups"]) == len(trace["x"]), figure.id
