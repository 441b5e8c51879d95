"""Engines keep their protocol: same seed same draws, progress to the end, errors in words."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tasks.engines.engines import MARGINAL, CmdStanEngine, EmbeddedEngine, cmdstan_installation, engine_named
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import StanData, marginal_data
from tasks.study.errors import PoolwiseError, StudyError
from tasks.study.settings import SamplerSettings
from tests.datasets import dyestuff, model_of, sleepstudy
from tests.posteriors import study_of

SHORT = SamplerSettings(chains=2, warmup=150, draws=100)


def data_of(rows=sleepstudy) -> StanData:
    data = rows()
    products, scaling = model_of(data)
    study = study_of(data)
    return marginal_data(products, (0, *study.varying_columns), resolve_priors(study, scaling), scaling)


def ignore(_: float) -> None:
    pass


def test_draws_have_chain_and_draw_first() -> None:
    made = EmbeddedEngine().sample(MARGINAL, data_of(), SHORT, 1, ignore)
    shapes = {name: draws.shape for name, draws in made.items()}
    assert shapes["beta"] == (2, 100, 2)
    assert shapes["sigma_group"] == (2, 100, 2)
    assert shapes["L_group"] == (2, 100, 2, 2)
    assert shapes["sigma"] == (2, 100)
    for column in ("divergent__", "energy__", "treedepth__", "accept_stat__", "n_leapfrog__"):
        assert shapes[column] == (2, 100)
    np.testing.assert_allclose(np.linalg.norm(made["L_group"], axis=-1), 1.0)
    np.testing.assert_array_equal(made["L_group"][..., 0, 1], 0.0)
    # Chains are chains: each stays near its own draws' order, and they differ.
    assert not np.array_equal(made["beta"][0], made["beta"][1])


def test_one_varying_effect_keeps_its_axes() -> None:
    made = EmbeddedEngine().sample(MARGINAL, data_of(dyestuff), SHORT, 1, ignore)
    assert made["sigma_group"].shape == (2, 100, 1)
    np.testing.assert_array_equal(made["L_group"], np.ones((2, 100, 1, 1)))


def test_the_same_seed_gives_the_same_draws() -> None:
    a, b, c = (EmbeddedEngine().sample(MARGINAL, data_of(), SHORT, seed, ignore) for seed in (7, 7, 8))
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])
    assert not np.array_equal(a["beta"], c["beta"])


def test_progress_rises_to_1() -> None:
    seen: list[float] = []
    EmbeddedEngine().sample(MARGINAL, data_of(), SHORT, 1, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(set(seen)) > 3


def test_nothing_is_printed_and_stdout_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout
    EmbeddedEngine().sample(MARGINAL, data_of(), SHORT, 1, ignore)
    assert sys.stdout is before
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("code", "data", "words"),
    [
        ("parameters { real x; } model { x ~ nrmal(0, 1); }", {}, "error"),
        ("data { int<lower=1> N; } parameters { real x; } model { x ~ normal(0, N); }", {"N": 0}, "greater than"),
        ("data { int N; } parameters { real x; } model { x ~ normal(0, N); }", {}, "N"),
        ("parameters { real x; } model { x ~ normal(0, -1); }", {}, "chain"),
    ],
    ids=["broken program", "data out of bounds", "data missing", "no finite density"],
)
def test_what_cannot_run_is_told_in_words(tmp_path: Path, code: str, data: StanData, words: str) -> None:
    program = tmp_path / "program.stan"
    program.write_text(code)
    before = sys.stdout
    with pytest.raises(PoolwiseError, match=r"program\.stan") as caught:
        EmbeddedEngine().sample(program, data, SHORT, 1, ignore)
    assert words in str(caught.value)
    assert caught.value.exit_code == 1
    assert sys.stdout is before


def test_settings_reach_the_sampler() -> None:
    careful = SHORT.model_copy(update={"adapt_delta": 0.99, "chains": 3, "draws": 120})
    plain, slow = (EmbeddedEngine().sample(MARGINAL, data_of(), s, 1, ignore) for s in (SHORT, careful))
    assert slow["sigma"].shape == (3, 120)
    assert slow["accept_stat__"].mean() > plain["accept_stat__"].mean()
    assert slow["n_leapfrog__"].mean() > plain["n_leapfrog__"].mean()


@pytest.fixture
def no_cmdstan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CMDSTAN", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)


@pytest.mark.usefixtures("no_cmdstan")
def test_without_an_installation_auto_is_the_embedded_engine() -> None:
    assert cmdstan_installation() is None
    assert isinstance(engine_named("auto"), EmbeddedEngine)
    assert engine_named("embedded").name.startswith("embedded (stanli ")
    with pytest.raises(StudyError, match="make cmdstan") as caught:
        engine_named("cmdstan")
    assert caught.value.exit_code == 2


def installation(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "makefile").write_text(f"CMDSTAN_VERSION := {folder.name.removeprefix('cmdstan-')}\n")
    for built in ("stanc", "diagnose"):
        (folder / "bin" / built).touch()
    return folder


@pytest.mark.usefixtures("no_cmdstan")
def test_a_half_built_installation_does_not_count(tmp_path: Path) -> None:
    folder = installation(tmp_path / ".cmdstan" / "cmdstan-2.36.0")
    (folder / "bin" / "diagnose").unlink()
    assert cmdstan_installation() is None


@pytest.mark.usefixtures("no_cmdstan")
def test_an_installation_is_found_in_its_usual_place(tmp_path: Path) -> None:
    folder = installation(tmp_path / ".cmdstan" / "cmdstan-2.36.0")
    assert cmdstan_installation() == folder
    assert engine_named("auto").name == "cmdstan (2.36.0)"
    assert isinstance(engine_named("embedded"), EmbeddedEngine)


@pytest.mark.usefixtures("no_cmdstan")
def test_the_newest_usable_installation_is_taken(tmp_path: Path) -> None:
    """2.100 is newer than 2.36; a folder without its tools is a broken download."""
    installation(tmp_path / ".cmdstan" / "cmdstan-2.36.0")
    newest = installation(tmp_path / ".cmdstan" / "cmdstan-2.100.0")
    (tmp_path / ".cmdstan" / "cmdstan-2.200.0").mkdir()
    assert cmdstan_installation() == newest


@pytest.mark.usefixtures("no_cmdstan")
def test_the_environment_names_an_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = installation(tmp_path / "elsewhere")
    monkeypatch.setenv("CMDSTAN", str(folder))
    assert cmdstan_installation() == folder
    monkeypatch.setenv("CMDSTAN", str(tmp_path / "gone"))
    assert cmdstan_installation() is None


@pytest.mark.cmdstan
@pytest.mark.skipif(cmdstan_installation() is None, reason="no CmdStan installation found")
def test_cmdstan_samples_the_same_posterior() -> None:
    folder = cmdstan_installation()
    assert folder is not None
    settings = SamplerSettings(chains=2, adapt_delta=0.95)
    seen: list[float] = []
    theirs = CmdStanEngine(folder).sample(MARGINAL, data_of(), settings, 1, seen.append)
    ours = EmbeddedEngine().sample(MARGINAL, data_of(), settings, 1, ignore)
    assert seen[-1] == 1.0
    assert set(theirs) >= {"beta", "sigma_group", "sigma", "L_group", "divergent__", "energy__"}
    for name in ("beta", "sigma_group", "sigma"):
        assert theirs[name].shape == ours[name].shape
        spread = ours[name].std(axis=(0, 1))
        np.testing.assert_array_less(
            np.abs(theirs[name].mean(axis=(0, 1)) - ours[name].mean(axis=(0, 1))), 0.2 * spread
        )
        np.testing.assert_allclose(theirs[name].std(axis=(0, 1)), spread, rtol=0.25)
