"""The difference of two chosen groups is that of the draws, whichever way it is chosen."""

from __future__ import annotations

import re

import numpy as np
import xarray as xr

from tests.browser.conftest import OpenReport
from tests.shelf import Shelf

SAID = re.compile(r"kent less cumbria: (\S+)\ss \(95\s% interval (\S+) to (\S+)\)\. kent is higher with")


def test_two_groups_are_compared(open_report: OpenReport, shelf: Shelf) -> None:
    page = open_report("bounce_rates").page
    node = page.locator("#contrast")
    node.locator("select[name=one]").select_option(label="kent")
    node.locator("select[name=other]").select_option(label="cumbria")
    found = SAID.search(node.locator("output").inner_text())
    assert found, node.locator("output").inner_text()
    folder = shelf.run("bounce_rates")
    draws = xr.open_datatree(folder / "posterior.nc")["posterior"]["group_estimate"]
    level = draws.sel(term="intercept") if "intercept" in draws.coords["term"] else draws.isel(term=0)
    apart = (level.sel(group="kent") - level.sel(group="cumbria")).to_numpy().ravel()
    wanted = [apart.mean(), *np.quantile(apart, [0.025, 0.975])]
    shown = [float(each.replace("\u2212", "-")) for each in found.groups()]
    np.testing.assert_allclose(shown, wanted, atol=0.35 * apart.std())


def test_a_group_chosen_elsewhere_is_the_first(open_report: OpenReport) -> None:
    page = open_report("bounce_rates").page
    page.locator(".panel button.group-name", has_text="norfolk").first.click()
    assert page.locator("#contrast output").inner_text().startswith("norfolk less ")


def test_a_group_is_not_compared_with_itself(open_report: OpenReport) -> None:
    page = open_report("bounce_rates").page
    node = page.locator("#contrast")
    for which in ("one", "other"):
        node.locator(f"select[name={which}]").select_option(label="kent")
    assert node.locator("output").inner_text() == "–"
