"""Every judgement that the statistics of a family can make, read from their source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args, get_type_hints

import tasks
import tasks.stats
from tasks.stats.counted.glm import Problem
from tasks.stats.judged.assumptions import Assumptions
from tasks.stats.judged.pit import Shape
from tasks.stats.judged.size_trend import WhyNone

STATS = Path(tasks.stats.__file__).parent
# `_judgement(kind, …)` of `diagnostics` is given one kind a limit, of both ESS the lesser.
SAMPLER = ("rhat", "weights", "ess", "divergences", "treedepth", "ebfmi")
# What stands where a judgement is made and is no text, by its source.
VARIABLES: dict[str, tuple[str, ...]] = {
    "kind": SAMPLER,
    "found.shape": get_args(Shape),
    "why_no_trend(sizes)": get_args(WhyNone),
    "one.added.kind": ("context", "curve"),
    "found.kind": ("two values", "counts"),
    "found.likeness": get_args(get_type_hints(Assumptions.likeness.fget)["return"]),
    "found.unit": ("rows", "cells"),
    "found.fits.complete.problem": tuple(filter(None, get_args(Problem))),
}
# Kinds whose status is a variable: the cases that pass.
PASSING = {"loo_pit": {"calibrated"}, "alike_labels": {"distinct"}}


@dataclass(frozen=True)
class Judged:
    """One `Judgement(…)` in the source of the statistics."""

    kind: str
    statuses: tuple[str, ...]
    case: str
    against: str


@dataclass(frozen=True)
class _Module:
    functions: dict[str, ast.FunctionDef]
    imported: dict[str, tuple[str, str]]  # name here: module, name there


def judged_of(family: Literal["normal", "counted"]) -> tuple[Judged, ...]:
    """Of counted outcomes what their modules judge themselves or by functions of others; of normal ones all else."""
    counted = sorted(STATS.glob("counted/*.py"))
    if family == "normal":
        paths = sorted(set(STATS.glob("**/*.py")) - set(counted))
        return tuple(one for path in paths for function in _functions(path) for one in _judged_in(function))
    return tuple(one for function in _reached(counted) for one in _judged_in(function))


def _functions(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node


def _reached(paths: list[Path]) -> Iterator[ast.FunctionDef]:
    """The functions of these files, and those of other statistics that judgements are made by, each once."""
    waiting = [(path, function.name) for path in paths for function in _functions(path)]
    seen = set(waiting)
    while waiting:
        path, name = waiting.pop()
        module = _module(path)
        function = module.functions[name]
        yield function
        for called in sorted({node.id for node in ast.walk(function) if isinstance(node, ast.Name)}):
            there, its_name = (path, called) if called in module.functions else _elsewhere(module, called)
            if there and its_name in _module(there).functions and (there, its_name) not in seen:
                seen.add((there, its_name))
                waiting.append((there, its_name))


@cache
def _module(path: Path) -> _Module:
    tree = ast.parse(path.read_text("utf-8"))
    imported = {
        name.asname or name.name: (node.module, name.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
    }
    return _Module({one.name: one for one in _functions(path)}, imported)


def _elsewhere(module: _Module, name: str) -> tuple[Path | None, str]:
    """Where a judge of other statistics stands."""
    where, its_name = module.imported.get(name, ("", name))
    if not (where.startswith("tasks.stats.") and its_name.startswith("judge")):
        return None, name
    return STATS.parent.parent / f"{where.replace('.', '/')}.py", its_name


def _judged_in(function: ast.FunctionDef) -> Iterator[Judged]:
    known = _assigned(function)
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Judgement":
            given: dict[str, ast.expr] = dict(zip(("kind", "status", "case"), call.args, strict=False))
            given |= {word.arg: word.value for word in call.keywords if word.arg}
            (against,) = _texts(given["against"], known) if "against" in given else ("",)
            for kind in _texts(given["kind"], known):
                for case in _texts(given["case"], known):
                    yield Judged(kind, _texts(given["status"], known), case, against)


def _assigned(function: ast.FunctionDef) -> dict[str, ast.expr]:
    """What each name is set to, tuples taken apart."""
    known: dict[str, ast.expr] = {}
    for step in ast.walk(function):
        if isinstance(step, ast.AnnAssign) and isinstance(step.target, ast.Name) and step.value:
            known[step.target.id] = step.value
        if isinstance(step, ast.Assign):
            for target in step.targets:
                pairs = [(target, step.value)]
                if isinstance(target, ast.Tuple) and isinstance(step.value, ast.Tuple):
                    pairs = list(zip(target.elts, step.value.elts, strict=True))
                known |= {name.id: value for name, value in pairs if isinstance(name, ast.Name)}
    return known


def _texts(node: ast.expr, known: dict[str, ast.expr]) -> tuple[str, ...]:
    if isinstance(node, ast.Constant):
        return (str(node.value),)
    if isinstance(node, ast.IfExp):
        return (*_texts(node.body, known), *_texts(node.orelse, known))
    if isinstance(node, ast.Name) and node.id in known:
        return _texts(known[node.id], known)
    return VARIABLES[ast.unparse(node)]
