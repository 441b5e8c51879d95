"""What a command's words open: a study, or a data file whose columns they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.cli.__main__ import command
from flows.cli.opening import Flags, open_study
from tasks.study.errors import StudyError

ROWS = "county,age,bounce_time\n" + "".join(
    f'{county},"{age},500",{200 + 3 * i + (age * 7919 % 13)}\n'
    for i, county in enumerate("abc")
    for age in range(20, 32)
)


@pytest.fixture
def data_file(tmp_path: Path) -> Path:
    path = tmp_path / "visits.csv"
    path.write_text(ROWS)
    return path


def validate(path: Path, *more: str) -> int:
    columns = ["--outcome", "bounce_time", "--group", "county", "--predictor", "age"]
    return command(["validate", str(path), *columns, *more])


def test_a_counted_outcome_is_named_by_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wards.csv"
    path.write_text("ward,deaths,n\n" + "".join(f"{'abc'[i % 3]},{i % 4},{5 + i}\n" for i in range(30)))
    counted = Flags("deaths", "ward", family="binomial", trials="n")
    opened = open_study(str(path), counted)
    assert (opened.study.family, opened.study.trials, opened.study.exposure) == ("binomial", "n", None)
    assert 'trials = "n"' in opened.text
    assert open_study(str(path), Flags("deaths", "ward", family="poisson", exposure="n")).study.exposure == "n"
    with pytest.raises(StudyError, match='--family is "gamma", but it should be'):
        open_study(str(path), Flags("deaths", "ward", family="gamma"))
    with pytest.raises(StudyError, match=r'trials names .n., .* belong to family = "binomial"'):
        open_study(str(path), Flags("deaths", "ward", trials="n"))
    with pytest.raises(StudyError, match="--family, --trials, --exposure"):
        open_study(str(tmp_path), Flags(family="binomial"))
    columns = ["--outcome", "deaths", "--group", "ward"]
    assert command(["validate", str(path), *columns, "--family", "binomial", "--trials", "n"]) == 0
    assert "30 of 30 rows can be used, in 3 groups: 43 events of 585 trials" in capsys.readouterr().out
    assert command(["validate", str(path), *columns, "--family", "poisson", "--exposure", "n"]) == 0
    assert "43 events over an exposure of 585" in capsys.readouterr().out


def test_settings_of_a_study_file_can_be_given_for_a_data_file(data_file: Path) -> None:
    settings = ["decimal=,", "rules.min_rows=10", "rules.unique=['age', 'county']", "title=true to life"]
    study = open_study(str(data_file), Flags("bounce_time", "county", ["age"], 0.2, settings)).study
    assert (study.decimal, study.rules.min_rows, study.rules.unique) == (",", 10, ("age", "county"))
    assert (study.rules.max_rejected_share, study.title) == (0.2, "true to life")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["decimal"], "KEY=VALUE"),
        (["=,"], "KEY=VALUE"),
        (["group=x"], "Use --group instead"),
        (["source=x"], "another data file"),
        (["decimal=;"], '--set decimal is ";"'),
        (["min_rows=3"], "Did you mean --set rules.min_rows?"),
        (["a=" + "[" * 100_000], "a is not a key"),
    ],
)
def test_a_setting_that_cannot_be_is_said_without_a_study_file(data_file: Path, settings: list[str], said: str) -> None:
    with pytest.raises(StudyError) as caught:
        open_study(str(data_file), Flags("bounce_time", "county", ["age"], None, settings))
    assert said in str(caught.value)
    assert "top of the file" not in str(caught.value)


@pytest.mark.parametrize("share", [1.5, -0.1, float("nan")])
def test_a_share_that_is_none_is_bad_usage(data_file: Path, share: float) -> None:
    with pytest.raises(StudyError, match=r"--max-rejected-share is (1\.5|-0\.1|nan)"):
        open_study(str(data_file), Flags("bounce_time", "county", ["age"], share))


def test_order_is_an_option_and_advice_names_it(data_file: Path) -> None:
    opened = open_study(str(data_file), Flags("bounce_time", "county", (), order="age"))
    assert opened.study.order == "age"
    assert opened.study.setting('order = "COLUMN"') == "add `--order COLUMN`"
    assert open_study(str(data_file), Flags("bounce_time", "county", ["age"], order="age")).study.order == "age"
    with pytest.raises(StudyError, match="county"):
        open_study(str(data_file), Flags("bounce_time", "county", order="county"))


def test_options_for_a_data_file_do_not_suit_a_study(data_file: Path) -> None:
    for flags in (Flags(max_rejected_share=0.1), Flags(settings=["decimal=,"]), Flags(outcome="y"), Flags(order="t")):
        with pytest.raises(StudyError, match="for data files"):
            open_study(str(data_file.parent), flags)


def test_advice_without_a_study_file_can_be_followed_as_it_stands(
    data_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate(data_file) == 3
    said = capsys.readouterr().err
    assert "Add `--set thousands=,`, or add `--set decimal=,` instead if it means the fraction." in said
    assert "(--max-rejected-share)" in said
    assert "study" not in said
    assert validate(data_file, "--set", "thousands=,") == 0
    assert "36 of 36 rows can be used" in capsys.readouterr().out


def test_more_bad_rows_can_be_allowed_for_a_data_file(data_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_file.write_text(ROWS.replace('"', "").replace(",500,", ",") + "a,30,?\n" * 6)
    assert validate(data_file) == 3
    assert validate(data_file, "--max-rejected-share", "0.2") == 0
    assert "36 of 42 rows can be used" in capsys.readouterr().out
