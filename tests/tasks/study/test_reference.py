"""The page on the study file lists every key once, as the models have it, and says what each is for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tasks.study.reference import TABLE, all_keys, filled, keys_of, main, table

PAGE = Path(__file__).parents[3] / "docs" / "study.md"
ASKED = [asked for _, asked, _ in TABLE.findall(PAGE.read_text("utf-8"))]


def test_page_is_what_the_models_give() -> None:
    page = PAGE.read_text("utf-8")
    assert filled(page) == page, "run: make docs"


def test_every_key_is_listed_once() -> None:
    assert sorted(key for asked in ASKED for key in keys_of(asked)) == sorted(all_keys())


@pytest.mark.parametrize("asked", ASKED)
def test_every_key_is_explained(asked: str) -> None:
    for row in table(asked).splitlines()[2:]:
        key, value, default, meaning = (cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1])
        assert value, key
        assert default, key
        assert re.fullmatch(r"[A-Z].*\.", meaning), key


def test_cells_say_what_is_accepted() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \| [^|]* \|$", table("title source decimal predictors"), re.M))
    assert rows == {
        "title": "text | required",
        "source": 'text | `"*.csv"`',
        "decimal": '`"."` or `","` | –',
        "predictors": "list of texts | –",
    }
    assert "| `max_rejected_share` | number 0 to 1 | `0.05` |" in table("[rules]")
    assert "| `ranges` | table of `{ min, max }` | – |" in table("[rules]")
    assert "| `pareto_k` | number above 0 | – |" in table("[thresholds]")
    assert "| `seed` | whole number at least 1 and below 2,147,483,648 | – |" in table("[sampler]")


def test_what_markdown_or_the_eye_would_lose_is_spelled() -> None:
    assert r'`"\t"` or `"\|"`' in table("delimiter")
    assert r'`" "` or `"\u00a0"`' in table("thousands")


def test_a_key_that_no_study_has_is_refused() -> None:
    with pytest.raises(KeyError, match="colour"):
        filled("<!-- table: colour -->\n<!-- end of table -->\n")
    with pytest.raises(KeyError, match="title"):
        table("[title]")


def test_the_command_writes_tables_and_keeps_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "study.md"
    page.write_text("Before\n<!-- table: title -->\nold\n<!-- end of table -->\nafter\n")
    main(page)
    written = page.read_text("utf-8")
    assert written == f"Before\n<!-- table: title -->\n\n{table('title')}\n<!-- end of table -->\nafter\n"
    main(page)
    assert page.read_text("utf-8") == written
