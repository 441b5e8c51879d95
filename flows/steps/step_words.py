"""What each step of a report found, in a line for the terminal."""

from __future__ import annotations

from tasks.stats.counted.screening import CountedScreening

from tasks.rows.collect import Collected
from tasks.rows.read_files import ReadFiles
from tasks.stats.concluded import Concluded
from tasks.stats.counted.draws import CountedPosterior
from tasks.stats.counted.fits import CountedAnswered
from tasks.stats.counted.partial_pooling import CountedPartialPooling
from tasks.stats.judged.screening import Screening
from tasks.stats.records import PartialPooling
from tasks.stats.weighed import Answered, Posterior
from tasks.view.checks import count_by_status
from tasks.view.context import FLAVOUR_NAMES
from tasks.view.report_context import ReportContext


def read_found(read: ReadFiles) -> str:
    n_stored = len(read.sha256) - len(read.names_read | read.set_aside.keys())
    parts = [f"{counted_files(len(read.names_read))} read", f"{n_stored:,} from the store" if n_stored else ""]
    return ", ".join([*filter(None, parts), *([f"{len(read.set_aside):,} set aside"] if read.set_aside else [])])


def counted_files(n: int) -> str:
    return f"{n:,} file{'s'[: n != 1]}"


def rows_found(rows: Collected) -> str:
    rejected = f", {rows.n_rejected:,} rejected" if rows.n_rejected else ", none rejected"
    copies = f", {rows.n_copies:,} copies dropped" if rows.n_copies else ""
    return f"{rows.n_rows:,} rows in {rows.n_groups:,} groups{rejected}{copies}"


def fit_found(fit: PartialPooling) -> str:
    ended = "regular" if fit.converged else "not converged"
    return f"{FLAVOUR_NAMES[fit.flavour]}: {'singular' if fit.is_singular else ended}"


def counted_fit_found(fit: CountedPartialPooling) -> str:
    ended = "no finite estimate" if fit.is_unbounded else "regular" if fit.is_converged else "not converged"
    return f"{FLAVOUR_NAMES[fit.flavour]}: {'singular' if fit.is_singular else ended}"


def posterior_found(posterior: Posterior | CountedPosterior) -> str:
    last = posterior.attempts[-1]
    again = f", attempt {len(posterior.attempts)}" if len(posterior.attempts) > 1 else ""
    if last.is_resampled:
        return f"{last.chains * last.draws:,} draws by importance, Pareto k {last.diagnostics.pareto_k:.2f}"
    return f"{last.chains} x {last.draws:,} draws, R-hat {last.diagnostics.rhat_max:.3f}{again}"


def screening_found(screening: Screening | CountedScreening) -> str:
    if screening.is_hopeless:
        return "no model here suits the rows"
    return "asks for another model" if screening.answer.is_needed else "the plain model suits"


def answer_found(answered: Answered | CountedAnswered | None) -> str:
    if answered is None:
        return "nothing to answer"
    return posterior_found(answered.posterior) if answered.posterior else "could not be sampled"


def looked_back_found(context: ReportContext) -> str:
    changes = context.changes
    if changes is None:
        return "the first report"
    direction = changes.verdict.direction
    said = "as before" if direction == "same" else direction
    n_moved = int(changes.moves.rings.sum()) if changes.moves else 0
    moved = f", {n_moved:,} group{'s'[: n_moved != 1]} moved" if n_moved else ""
    return f"verdict {said}, {changes.rows.now - changes.rows.then:+,} rows{moved}"


def findings_found(findings: Concluded) -> str:
    counts = count_by_status(findings.judgements)
    return ", ".join(f"{n} {status}" for status, n in counts.items() if n)
