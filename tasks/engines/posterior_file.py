"""`posterior.nc`: the draws in ArviZ's layout, for anyone who wants to go on from them.

    posterior          fixef, sigma_group, correlation, group_estimate; of a measured outcome sigma_residual, of a
                       counted one whose rows vary more than its family says dispersion
    sample_stats       diverging, energy, tree_depth, acceptance_rate, n_steps; absent where draws were resampled
    observed_data      the outcome y by row, and the trials or the exposure that it was counted of, when rows are
                       given and take no more than ROWS_BYTES_LIMIT; of a random sample of the study's rows where
                       the attribute `sample` says so
    constant_data      group and raw predictors of the same rows
    posterior_extended, sample_stats_extended   the same of the model that answers what was found, where there is one:
                       fixef are the study's own terms, group_estimate holds what was added as well

Dimensions are named chain, draw, group, term, varying_term, row. Group estimates that would outgrow
GROUP_BYTES_LIMIT, or were drawn for some draws only, stand in a group of their own,
`posterior_thinned`, with one draw in k under its own number; the attribute `thinning` says so.
Open it with `xarray.open_datatree(path)`; needs neither Poolwise nor a netCDF library.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tasks.stats.concluded import Concluded
from tasks.stats.counted.draws import CountedDraws
from tasks.stats.draws import Draws
from tasks.stats.records import Floats, GroupedData, PosteriorDraws
from tasks.study.model import Study
from tasks.study.run import RunRecord

GROUP_BYTES_LIMIT = 20_000_000
ROWS_BYTES_LIMIT = 20_000_000
COMPRESSION = {"zlib": True, "complevel": 4, "shuffle": True}

# ArviZ's names for what the sampler says about a draw.
SAMPLE_STATS = {
    "diverging": "divergent",
    "energy": "energy",
    "tree_depth": "treedepth",
    "acceptance_rate": "acceptance",
    "n_steps": "n_leapfrog",
}
WHOLE_NUMBERS = {"diverging": bool, "tree_depth": np.int32, "n_steps": np.int32}


def write_posterior(
    path: Path,
    draws: Draws,
    study: Study,
    findings: Concluded,
    observed: GroupedData | None = None,
    extended: Draws | None = None,
) -> None:
    """Write the draws, and the rows when given and not too many, as compressed NetCDF.

    Made in memory first: on a disk that fills up, HDF5 ends the process with a segmentation fault.
    """
    tree = posterior_tree(draws, study, findings, observed, extended)
    encoding = {
        node.path: {name: dict(COMPRESSION) for name in node.data_vars} for node in tree.subtree if node.data_vars
    }
    path.write_bytes(tree.to_netcdf(engine="h5netcdf", encoding=encoding))


def posterior_tree(
    draws: Draws,
    study: Study,
    findings: Concluded,
    observed: GroupedData | None = None,
    extended: Draws | None = None,
) -> xr.DataTree:
    """The content of the file as a labelled tree in memory."""
    groups = _posterior("posterior", draws, study, findings)
    if draws.from_chains:
        groups["sample_stats"] = _sample_stats(draws)
    if extended is not None:
        groups |= _posterior("posterior_extended", extended, study, findings)
        groups["sample_stats_extended"] = _sample_stats(extended)
    if observed is not None and _n_bytes(observed) <= ROWS_BYTES_LIMIT:
        groups |= _rows(observed, study, findings.run.n_rows)
    tree = xr.DataTree.from_dict({f"/{name}": group for name, group in groups.items()})
    tree.attrs = _attributes(study, findings.run)
    return tree


def _posterior(name: str, draws: Draws, study: Study, findings: Concluded) -> dict[str, xr.Dataset]:
    """The parameters with the groups' estimates, which stand in a group of their own where they are thinned."""
    thin, parameters = _thinning(draws), _parameters(draws, study)
    if thin == 1:
        return {name: parameters.assign(_group_estimates(draws, study, findings, 1))}
    groups = _group_estimates(draws, study, findings, thin)
    return {name: parameters.assign_attrs(thinning=groups.attrs["thinning"]), f"{name}_thinned": groups}


def _thinning(draws: Draws) -> int:
    """k, where every k-th draw's group estimates are kept."""
    further = -(-draws.group_coef.nbytes // GROUP_BYTES_LIMIT)
    return draws.group_thin * max(1, further)


def _parameters(draws: Draws, study: Study) -> xr.Dataset:
    varying = ["intercept", *study.varying]
    per_term = _per_term(study)
    chain_draw = ("chain", "draw")
    return xr.Dataset(
        {
            "fixef": ((*chain_draw, "term"), draws.beta, {"units": per_term}),
            "sigma_group": ((*chain_draw, "varying_term"), draws.sigma_group, {"units": per_term}),
            "correlation": ((*chain_draw, "varying_term", "varying_term_2"), draws.correlation),
            **_of_family(draws, study),
        },
        coords={
            **_draw_numbers(draws.energy),
            "term": _labels("term", study.terms),
            "varying_term": _labels("varying_term", varying),
            "varying_term_2": _labels("varying_term_2", varying),
        },
    )


def _of_family(draws: Draws, study: Study) -> dict[str, Any]:
    """The parameters that not every family has."""
    if isinstance(draws, PosteriorDraws):
        units = {"units": _text(study.outcome_unit or study.outcome)}
        return {"sigma_residual": (("chain", "draw"), draws.sigma, units)}
    if isinstance(draws, CountedDraws) and draws.dispersion is not None:
        return {"dispersion": (("chain", "draw"), draws.dispersion)}
    return {}


def _per_term(study: Study) -> str:
    """The unit of coefficients."""
    return f"{_scale(study)}; slopes per SD of their predictor"


def _scale(study: Study) -> str:
    links = {"binomial": "log odds", "poisson": "log rate"}
    return links.get(study.family) or _text(study.outcome_unit or study.outcome)


def _group_estimates(draws: Draws, study: Study, findings: Concluded, thin: int) -> xr.Dataset:
    kept = draws.group_coef[:, :: thin // draws.group_thin]
    says = f"group_estimate holds one draw in {thin} of each chain, under the draw's own number"
    return xr.Dataset(
        {"group_estimate": (("chain", "draw", "group", "term"), kept, {"units": _per_term(study)})},
        coords={
            "chain": np.arange(kept.shape[0]),
            "draw": thin * np.arange(kept.shape[1]),
            "group": _labels("group", findings.labels),
            "term": _labels("term", study.terms),
        },
        attrs={} if thin == 1 else {"thinning": says, "one_draw_in": thin},
    )


def _sample_stats(draws: Draws) -> xr.Dataset:
    columns = {ours: getattr(draws, theirs) for ours, theirs in SAMPLE_STATS.items()}
    return xr.Dataset(
        {
            name: (("chain", "draw"), values.astype(WHOLE_NUMBERS.get(name, np.float64)))
            for name, values in columns.items()
        },
        coords=_draw_numbers(draws.energy),
    )


def _n_bytes(data: GroupedData) -> int:
    return data.y.nbytes + data.x.nbytes + (0 if data.size is None else data.size.nbytes)


def _rows(data: GroupedData, study: Study, n_rows: int) -> dict[str, xr.Dataset]:
    note = {"sample": f"a random {data.n_rows} of the study's {n_rows} rows"} if data.n_rows < n_rows else {}
    units = _text(study.outcome_unit) if study.family == "normal" else "counted"
    outcome = {"y": ("row", data.y, {"units": units, "column": _text(study.outcome)})}
    if data.size is not None:
        column = {"column": _text(study.size_column)} if study.size_column else {}
        outcome["trials" if study.family == "binomial" else "exposure"] = ("row", data.size, column)
    return {
        "observed_data": xr.Dataset(outcome, attrs=note),
        "constant_data": xr.Dataset(
            {"group_index": ("row", data.group_index), "x": (("row", "predictor"), data.x)},
            coords={"predictor": _labels("predictor", study.predictors)},
            attrs=note,
        ),
    }


def _draw_numbers(per_draw: Floats) -> dict[str, Any]:
    chains, draws = per_draw.shape
    return {"chain": np.arange(chains), "draw": np.arange(draws)}


def _labels(dimension: str, labels: Any) -> xr.Variable:
    """The labels; as JSON strings, with an attribute that says so, if NetCDF cannot hold one of them."""
    if all(label == _text(label) for label in labels):
        return xr.Variable(dimension, np.array(labels, dtype=object))
    escaped = np.array([json.dumps(label) for label in labels], dtype=object)
    return xr.Variable(dimension, escaped, {"label_encoding": "json"})


def _in_words(study: Study) -> str:
    return f"as {_scale(study)}" if study.family != "normal" else "in the outcome's unit"


def _text(text: str) -> str:
    """The text with NUL and lone surrogates, which NetCDF cannot hold, as escapes."""
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


def _attributes(study: Study, run: RunRecord) -> dict[str, Any]:
    """What the file says of itself: study, run, engine, data; versions as JSON text."""
    words = {
        "title": study.title,
        "study": study.name,
        "outcome": study.outcome,
        "family": study.family,
        "outcome_unit": study.outcome_unit,
        "group": study.group,
        "run_id": run.id,
        "created_at": run.started_at,
        "creation_library": "poolwise",
        "inference_library": run.engine,
        "versions": json.dumps(run.versions),
        "data_sha256": run.data_sha256,
        "units": f"coefficients on centre-scaled predictors, {_in_words(study)}",
    }
    return {**{name: _text(value) for name, value in words.items()}, "seed": run.seed}
