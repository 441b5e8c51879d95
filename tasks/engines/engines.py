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
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from tasks.disk.atomic import explained, write_whole
from tasks.stats.records import Floats
from tasks.study.errors import PoolwiseError, StudyError

if TYPE_CHECKING:  # without this import, a process that only samples starts in half the time
    from tasks.study.settings import SamplerSettings

PROGRAMS = Path(__file__).parents[2] / "stan"
MARGINAL = PROGRAMS / "partial_pooling_marginal.stan"
NONCENTERED = PROGRAMS / "partial_pooling_noncentered.stan"
COUNTED = PROGRAMS / "partial_pooling_counted.stan"

EngineName = Literal["auto", "embedded", "cmdstan"]
Progress = Callable[[float], None]

ITERATION = re.compile(r"Chain \[(\d+)\] Iteration:\s*(\d+) / (\d+)")


# Files that an installation has only if its build was completed.
BUILT_PARTS = ("makefile", "bin/stanc", "bin/diagnose")


class TimeIsUp(Exception):
    """Sampling was ended because it took too long; `share` of its iterations were done."""

    def __init__(self, share: float) -> None:
        super().__init__(f"ended at {share:.0%}")
        self.share = share


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
    """The engine asked for; `auto` is CmdStan if it is installed, else the embedded engine. Raises StudyError."""
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
    """The folder of the newest complete CmdStan, or None; found as cmdstanpy does, without importing it."""
    named = os.environ.get("CMDSTAN")
    found = [Path(named)] if named else sorted(Path.home().glob(".cmdstan/cmdstan-*"), key=_version_numbers)
    usable = [folder for folder in found if all((folder / part).is_file() for part in BUILT_PARTS)]
    return usable[-1] if usable else None


def _version_numbers(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", folder.name)]


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
                    refresh=_refresh(settings),
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
        makefile = (self.installation / "makefile").read_text(encoding="utf-8", errors="replace")
        found = re.search(r"^CMDSTAN_VERSION\s*:?=\s*(\S+)", makefile, flags=re.MULTILINE)
        return f"cmdstan ({found[1] if found else self.installation.name})"

    def sample(
        self, program: Path, data: Mapping[str, Any], settings: SamplerSettings, seed: int, progress: Progress
    ) -> dict[str, Floats]:
        import cmdstanpy

        cmdstanpy.set_cmdstan_path(str(self.installation))
        with (
            cmdstanpy.disable_logging(),
            tempfile.TemporaryDirectory(prefix="poolwise-") as scratch,
            _progress_from_stdout(settings, progress),
        ):
            try:
                fit = _compiled(program, self.installation).sample(
                    data=dict(data),
                    chains=settings.chains,
                    parallel_chains=min(settings.chains, os.cpu_count() or 1),
                    iter_warmup=settings.warmup,
                    iter_sampling=settings.draws,
                    adapt_delta=settings.adapt_delta,
                    max_treedepth=settings.max_treedepth,
                    seed=seed,
                    refresh=_refresh(settings),
                    output_dir=scratch,
                    show_progress=False,
                    show_console=True,
                )
            except (RuntimeError, ValueError) as error:
                raise PoolwiseError(f"CmdStan could not run {program.name}: {error}") from error
            variables = {k: _by_chain(v, settings.chains) for k, v in fit.stan_variables().items()}
            sampler = {k: np.swapaxes(v, 0, 1).astype(float) for k, v in fit.method_variables().items()}
        return variables | sampler


def _compiled(program: Path, installation: Path) -> Any:
    """The compiled program, kept in a cache folder: the repository may be read-only.

    It stays linked to libraries of the CmdStan that built it, so its name tells program and CmdStan apart.
    It is built elsewhere and appears whole: two runs may come to it at once.
    """
    import cmdstanpy

    parts = (os.fsencode(installation.resolve()), (installation / "makefile").read_bytes(), program.read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "poolwise"
    compiled = home / f"{program.stem}-{sha256(b''.join(parts)).hexdigest()[:12]}"
    if not compiled.is_file():
        with explained("keep a compiled Stan program", home):
            home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="poolwise-") as folder:
                copy = Path(folder) / program.name
                copy.write_bytes(program.read_bytes())
                write_whole(compiled, Path(cmdstanpy.compile_stan_file(copy)).read_bytes(), mode=0o755)
    return cmdstanpy.CmdStanModel(exe_file=compiled)


def _refresh(settings: SamplerSettings) -> int:
    """How many iterations of a chain pass between two reports of its progress."""
    return max(1, (settings.warmup + settings.draws) // 100)


def _by_chain(draws: Floats, chains: int) -> Floats:
    """Draws (chains · draws, …) as (chains, draws, …)."""
    return np.ascontiguousarray(draws, dtype=float).reshape(chains, -1, *draws.shape[1:])


class _ProgressStream(io.TextIOBase):
    """Takes the place of stdout while an engine prints its iterations there."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report

    def write(self, text: str) -> int:
        self._report(text)
        return len(text)


@contextlib.contextmanager
def _progress_from_stdout(settings: SamplerSettings, progress: Progress) -> Iterator[None]:
    with contextlib.redirect_stdout(_ProgressStream(_counter(settings, progress))):
        yield


def _counter(settings: SamplerSettings, progress: Progress) -> Callable[[str], None]:
    iterations: dict[str, int] = {}
    total = settings.chains * (settings.warmup + settings.draws)

    def report(text: str) -> None:
        for chain, iteration, _ in ITERATION.findall(text):
            iterations[chain] = max(iterations.get(chain, 0), int(iteration))
            progress(min(1.0, sum(iterations.values()) / total))

    return report
