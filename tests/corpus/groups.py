"""Labels that a person takes for one, rows that came twice."""

from __future__ import annotations

import unicodedata

from tests.corpus.cases import STUDY, Case, csv, rows, with_keys

CODES = tuple(f"0100{i}" for i in range(8))
TWICE = "160 of 160 rows"


def _two(
    name: str, first: tuple[str, ...], second: tuple[str, ...], exit_code: int, *says: str, study: str = STUDY
) -> Case:
    files = {"a.csv": csv(rows(first)), "b.csv": csv(rows(second, seed=2))}
    return Case(f"group/{name}", exit_code, says, files, study)


NAMES = ("Žilina", "Košice", "Prešov", "Nitra", "Trnava", "Žabokreky", "Šaľa", "Čadca")
DECOMPOSED = tuple(unicodedata.normalize("NFD", name) for name in NAMES)
LOWER = tuple(name.lower() for name in NAMES)
SPACED = tuple(name + "  x" for name in NAMES)
ONE_SPACE = tuple(name + " x" for name in NAMES)
INVISIBLE = tuple(name[:2] + "\u200b" + name[2:] for name in NAMES)
NO_BREAK = tuple(name + "\u00a0x" for name in NAMES)
LABEL = "[labels]\n"
JANUARY = csv()


def _named(label: str) -> str:
    return csv(rows(("Kent", "Essex", "Surrey", "Dorset", label)))


CASES = [
    _two(
        "leading zeros", CODES, tuple(c.lstrip("0") for c in CODES), 0, TWICE, "16 groups", "01000", "a.csv", "pad = 5"
    ),
    _two(
        "leading zeros, padded",
        CODES,
        tuple(c.lstrip("0") for c in CODES),
        0,
        TWICE,
        "8 groups",
        study=with_keys(LABEL + "pad = 5\n"),
    ),
    _two(
        "leading zeros, joined",
        CODES,
        tuple(c.lstrip("0") for c in CODES),
        0,
        TWICE,
        "8 groups",
        study=with_keys(LABEL + 'join = ["zeros"]\n'),
    ),
    _two("composed and decomposed", NAMES, DECOMPOSED, 0, TWICE, "8 groups"),
    _two("capitals", NAMES, LOWER, 0, TWICE, "16 groups", "case"),
    _two("capitals, joined", NAMES, LOWER, 0, TWICE, "8 groups", study=with_keys(LABEL + 'join = ["case"]\n')),
    _two("inner spaces", SPACED, ONE_SPACE, 0, TWICE, "16 groups", "space"),
    _two(
        "inner spaces, joined", SPACED, ONE_SPACE, 0, TWICE, "8 groups", study=with_keys(LABEL + 'join = ["space"]\n')
    ),
    _two("no-break spaces", NO_BREAK, ONE_SPACE, 0, TWICE, "16 groups", "space"),
    _two("invisible characters", NAMES, INVISIBLE, 0, TWICE, "16 groups"),
    _two("point zero", tuple("12345678"), tuple(f"{i}.0" for i in "12345678"), 0, TWICE, "16 groups", "decimals"),
    _two(
        "point zero, joined",
        tuple("12345678"),
        tuple(f"{i}.0" for i in "12345678"),
        0,
        TWICE,
        "8 groups",
        study=with_keys(LABEL + 'join = ["decimals"]\n'),
    ),
    _two("joined by nonsense", NAMES, LOWER, 2, "labels.join", study=with_keys(LABEL + 'join = ["sound"]\n')),
    *(
        Case(f"group/called {label}", 0, ("50 of 50 rows can be used, in 5 groups", label), {"data.csv": _named(label)})
        for label in ("NA", "null", "None", "N/A", "nan")
    ),
    Case(
        "copies/the same file with other line ends",
        0,
        (TWICE, "jan.csv", "jan (1).csv", "80"),
        {"jan.csv": JANUARY, "jan (1).csv": JANUARY.replace("\n", "\r\n")},
    ),
    Case(
        "copies/dropped",
        0,
        ("80 rows that are exact copies", "80 of 80 rows"),
        {"jan.csv": JANUARY, "jan (1).csv": JANUARY.replace("\n", "\r\n")},
        with_keys('[rules]\ncopies = "drop"\n'),
    ),
    Case(
        "copies/a file that holds another",
        0,
        ("jan.csv", "feb.csv", "80"),
        {"jan.csv": JANUARY, "feb.csv": csv([*rows(), *rows(seed=2)])},
    ),
    Case(
        "copies/quoted and not",
        0,
        (TWICE, "80"),
        {"a.csv": JANUARY, "b.csv": csv([tuple(f'"{v}"' for v in row) for row in rows()])},
    ),
    Case("copies/within a file", 0, ("85 of 85 rows", "5"), {"data.csv": csv([*rows(), *rows()[:5]])}),
    Case("copies/the same bytes under two names", 0, ("80 of 80 rows",), {"a.csv": JANUARY, "b.csv": JANUARY}),
    Case("copies/kept by nonsense", 2, ("rules.copies",), study=with_keys('[rules]\ncopies = "maybe"\n')),
]
