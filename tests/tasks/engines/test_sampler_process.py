"""A sampler apart samples the same, and ends: when its time is up, with its parent, and with all it started."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from tasks.engines.engines import MARGINAL, EmbeddedEngine, TimeIsUp
from tasks.engines.sample import sample_posterior
from tasks.engines.sampler_process import SamplerProcess
from tasks.study.errors import PoolwiseError, SamplingFailed
from tasks.study.settings import SamplerSettings
from tests.datasets import model_of, sleepstudy
from tests.posteriors import study_of
from tests.tasks.engines.test_engines import SHORT, data_of, ignore, installation
from tests.waiting import until

ENDLESS = SamplerSettings(warmup=100_000, draws=100_000)


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go, of this process and its children."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def children() -> list[str]:
    found = subprocess.run(
        ["pgrep", "-f", "tasks.engines.sampler_process", "-P", str(os.getpid())], capture_output=True
    )
    return found.stdout.decode().split()


def test_it_draws_what_the_engine_draws(scratch: Path) -> None:
    seen: list[float] = []
    here = EmbeddedEngine().sample(MARGINAL, data_of(), SHORT, 3, ignore)
    there = SamplerProcess("embedded", 600).sample(MARGINAL, data_of(), SHORT, 3, seen.append)
    assert set(here) == set(there)
    for name in here:
        np.testing.assert_array_equal(here[name], there[name])
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert list(scratch.iterdir()) == []
    assert children() == []


def test_a_signal_while_the_folder_is_made_leaves_no_folder(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Path.mkdir

    def interrupted(folder: Path, mode: int) -> None:
        make(folder, mode)
        assert list(scratch.iterdir()) == [folder]
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "mkdir", interrupted)
    with pytest.raises(KeyboardInterrupt):
        SamplerProcess("embedded", 600).sample(MARGINAL, data_of(), SHORT, 3, ignore)
    assert list(scratch.iterdir()) == []


def test_what_cannot_run_is_told_in_the_same_words(tmp_path: Path) -> None:
    program = tmp_path / "program.stan"
    program.write_text("parameters { real x; } model { x ~ nrmal(0, 1); }")
    with pytest.raises(PoolwiseError, match=r"program\.stan") as here:
        EmbeddedEngine().sample(program, {}, SHORT, 1, ignore)
    with pytest.raises(PoolwiseError) as there:
        SamplerProcess("embedded", 600).sample(program, {}, SHORT, 1, ignore)
    assert str(there.value) == str(here.value)


def test_when_its_time_is_up_it_is_ended(scratch: Path) -> None:
    seen: list[float] = []
    with pytest.raises(TimeIsUp) as caught:
        SamplerProcess("embedded", 3.0).sample(MARGINAL, data_of(), ENDLESS, 1, seen.append)
    assert caught.value.share == max(seen, default=0.0) < 1
    assert list(scratch.iterdir()) == []
    assert children() == []


def test_a_limit_in_time_is_told_with_what_was_tried() -> None:
    data = sleepstudy()
    products, scaling = model_of(data)
    study = study_of(data, sampler={"warmup": 100_000, "draws": 100_000, "max_minutes": 0.05})
    engine = SamplerProcess("embedded", 60 * study.sampler.max_minutes)
    with pytest.raises(SamplingFailed) as caught:
        sample_posterior(engine, study, products, scaling, 1, ignore)
    text = str(caught.value)
    assert caught.value.exit_code == 4
    for words in (
        "longer than the 0.05 minutes",
        "(sampler.max_minutes)",
        "under [sampler]",
        "% of attempt 1",
        "4 chains of 100000 + 100000",
    ):
        assert words in text


def test_it_ends_with_its_parent() -> None:
    """SIGKILL: the parent has no time to tell it."""
    script = textwrap.dedent("""
        from tests.tasks.engines.test_sampler_process import ENDLESS, MARGINAL, SamplerProcess, data_of
        SamplerProcess("embedded", 600).sample(MARGINAL, data_of(), ENDLESS, 1, lambda share: None)
    """)
    parent = subprocess.Popen([sys.executable, "-c", script])
    try:
        child = until(lambda: _children_of(parent.pid))[0]
        parent.kill()
        parent.wait()
        until(lambda: not Path(f"/proc/{child}").exists() or _is_zombie(child))
    finally:
        parent.kill()


def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    """CmdStan's compiler and samplers are programs of their own; this installation's `make` never returns."""
    folder = installation(tmp_path / "cmdstan-2.36.0")
    with (folder / "makefile").open("a") as makefile:
        makefile.write(f"makefile: ;\n%:\n\t@echo $$$$ > {tmp_path}/pid; exec sleep 600\n")
    script = textwrap.dedent("""
        from tests.tasks.engines.test_sampler_process import MARGINAL, SHORT, SamplerProcess, data_of
        SamplerProcess("cmdstan", 600).sample(MARGINAL, data_of(), SHORT, 1, lambda share: None)
    """)
    environment = {**os.environ, "CMDSTAN": str(folder), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    parent = subprocess.Popen([sys.executable, "-c", script], env={**environment, "TMPDIR": str(tmp_path)})
    try:
        pid = until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
        parent.kill()
        parent.wait()
        until(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid))
    finally:
        parent.kill()


def _children_of(pid: int) -> list[str]:
    return subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()


def _is_zombie(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_an_interrupt_ends_it_at_once(scratch: Path) -> None:
    """As when the main thread hears of a signal while it waits for draws."""

    def interrupt(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SamplerProcess("embedded", 600).sample(MARGINAL, data_of(), ENDLESS, 1, interrupt)
    assert list(scratch.iterdir()) == []
    assert children() == []
