"""Writes bounce_rates.csv beside this file: `python data/bounce_rates/generate.py`."""

from __future__ import annotations

from pathlib import Path

from tasks.stats.bayes.simulate import BounceRates, simulate_bounce_rates


def csv_text(visits: BounceRates) -> str:
    rows = zip(visits.bounce_time.tolist(), visits.age.tolist(), visits.county, strict=True)
    lines = [f"{bounce_time:.2f},{age},{county}" for bounce_time, age, county in rows]
    return "\n".join(["bounce_time,age,county", *lines, ""])


def main() -> None:
    target = Path(__file__).with_name("bounce_rates.csv")
    target.write_text(csv_text(simulate_bounce_rates()), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
