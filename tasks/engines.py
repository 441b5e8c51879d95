"""Stan engines behind one small protocol: program, data and settings in, draws out.

The embedded engine (`stanli`) interprets a program: no compiler, ready in milliseconds. CmdStan, through
`cmdstanpy`, is the reference; `auto` takes it where an installation is found. Both report progress as
the share of all chains' iterations done.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from tasks.stats.errors import PoolwiseError, StudyError
from tasks.stats.records import Floats
from tasks.stats.study import SamplerSettings

PROGRAMS = Path(__file__).parent.parent / "stan"
MARGINAL = PROGRAMS / "partial_pooling_marginal.stan"
NONCENTERED = PROGRAMS / "partial_pooling_noncentered.stan"

EngineName = Literal["auto", "embedded", "cmdstan"]
Progress = Callable[[float], None]

ITERATION = re.compile(r"Chain \[(\d+)\] Iteration:\s*(\d+) / (\d+)")


class StanEngine(Protocol):
    @property
    def name(self) -> str:
        """Engine and version, as the report prints them."""

    def sample(
        self, program: Path, data: Mapping[str, Any], settings: SamplerSettings, seed: int, progress: Progress
    ) -> dict[str, Floats]:
        """Draws of every parameter, and of the sampler's own columns (`divergent__`, `energy__`, ...).

        Chain and draw are the first two axes. Raises PoolwiseError when the program cannot be run.
        """


def engine_named(name: EngineName) -> StanEngine:
    """The engine asked for; `auto` is CmdStan where there is one, else the embedded engine."""
    installation = cmdstan_installation()
    if name == "cmdstan" and installation is None:
        raise StudyError(
            "The cmdstan engine was asked for, but no CmdStan installation was found: neither the variable "
            "CMDSTAN nor ~/.cmdstan names one. Install one with `make cmdstan`, or use --engine embedded."
        )
    if name == "embedded" or installation is None:
        return EmbeddedEngine()
    return CmdStanEngine(installation)


def cmdstan_installation() -> Path | None:
    """Where CmdStan is, by the same rules as cmdstanpy but without importing it."""
    named = os.environ.get("CMDSTAN")
    found = [Path(named)] if named else sorted(Path.home().glob(".cmdstan/cmdstan-*"))
    usable = [folder for folder in found if (folder / "makefile").is_file() and (folder / "bin").is_dir()]
    return usable[-1] if usable else None


class EmbeddedEngine:
    @property
    def name(self) -> str:
        return f"embedded (stanli {version('stanli')})"

    def sample(
        self, program: Path, data: Mapping[str, Any], settings: SamplerSettings, seed: int, progress: Progress
    ) -> dict[str, Floats]:
        import stanli

        try:
            model = stanli.Model(stan_file=str(program), data=dict(data))
            with _progress_from_stdout(settings, progress):
                fit = model.sample(
                    chains=settings.chains,
                    warmup=settings.warmup,
                    samples=settings.draws,
                    delta=settings.adapt_delta,
                    max_depth=settings.max_treedepth,
                    seed=seed,
                )
        except RuntimeError as error:
            raise PoolwiseError(f"The embedded Stan engine could not run {program.name}: {error}") from error
        names = [*fit.variables, *stanli.SAMPLER_COLUMNS]
        return {name: _by_chain(fit[name], settings.chains) for name in names}


class CmdStanEngine:
    def __init__(self, installation: Path) -> None:
        self.installation = installation

    @property
    def name(self) -> str:
        return f"cmdstan ({self.installation.name})"

    def sample(
        self, program: Path, data: Mapping[str, Any], settings: SamplerSettings, seed: int, progress: Progress
    ) -> dict[str, Floats]:
        import cmdstanpy

        cmdstanpy.set_cmdstan_path(str(self.installation))
        with (
            tempfile.TemporaryDirectory(prefix="poolwise-") as scratch,
            _progress_from_files(scratch, settings, progress),
        ):
            try:
                fit = _compiled(program).sample(
                    data=dict(data),
                    chains=settings.chains,
                    parallel_chains=min(settings.chains, os.cpu_count() or 1),
                    iter_warmup=settings.warmup,
                    iter_sampling=settings.draws,
                    adapt_delta=settings.adapt_delta,
                    max_treedepth=settings.max_treedepth,
                    seed=seed,
                    output_dir=scratch,
                    show_progress=False,
                )
            except (RuntimeError, ValueError) as error:
                raise PoolwiseError(f"CmdStan could not run {program.name}: {error}") from error
            variables = {k: _by_chain(v, settings.chains) for k, v in fit.stan_variables().items()}
            sampler = {k: np.swapaxes(v, 0, 1).astype(float) for k, v in fit.method_variables().items()}
        return variables | sampler


def _compiled(program: Path) -> Any:
    """The compiled program, kept in a cache folder: the repository may be read-only."""
    import cmdstanpy

    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "poolwise"
    home.mkdir(parents=True, exist_ok=True)
    copy = home / program.name
    if not copy.is_file() or copy.read_bytes() != program.read_bytes():
        copy.write_bytes(program.read_bytes())
    return cmdstanpy.CmdStanModel(stan_file=copy)


def _by_chain(draws: Floats, chains: int) -> Floats:
    return np.ascontiguousarray(draws, dtype=float).reshape(chains, -1, *draws.shape[1:])


class _ProgressStream(io.TextIOBase):
    """Stands in for stdout while the embedded engine prints its iterations there."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report

    def write(self, text: str) -> int:
        self._report(text)
        return len(text)


@contextlib.contextmanager
def _progress_from_stdout(settings: SamplerSettings, progress: Progress) -> Iterator[None]:
    with contextlib.redirect_stdout(_ProgressStream(_counter(settings, progress))):
        yield


@contextlib.contextmanager
def _progress_from_files(folder: str, settings: SamplerSettings, progress: Progress) -> Iterator[None]:
    """Follow the console files that CmdStan's chains write into `folder`."""
    done, report = threading.Event(), _counter(settings, progress)

    def follow() -> None:
        while not done.wait(0.2):
            for file in Path(folder).glob("*stdout*.txt"):
                report(file.read_text(errors="replace"))

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _counter(settings: SamplerSettings, progress: Progress) -> Callable[[str], None]:
    iterations: dict[str, int] = {}
    total = settings.chains * (settings.warmup + settings.draws)

    def report(text: str) -> None:
        for chain, iteration, _ in ITERATION.findall(text):
            iterations[chain] = max(iterations.get(chain, 0), int(iteration))
        progress(min(1.0, sum(iterations.values()) / total))

    return report
