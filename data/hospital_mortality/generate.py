"""Writes hospital_mortality.csv beside this file: `python data/hospital_mortality/generate.py`."""

from __future__ import annotations

from pathlib import Path

from tasks.stats.counted.simulate import Hospitals, simulate_hospitals


def csv_text(found: Hospitals) -> str:
    columns = (found.hospital, found.age_band, found.severity, found.admissions.tolist(), found.deaths.tolist())
    lines = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    return "\n".join(["hospital,age_band,severity,admissions,deaths", *lines, ""])


def main() -> None:
    target = Path(__file__).with_name("hospital_mortality.csv")
    target.write_text(csv_text(simulate_hospitals()), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
