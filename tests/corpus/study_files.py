"""Study files that cannot be used: exit 2, the key, the value, what to write instead."""

from __future__ import annotations

from tests.corpus.cases import STUDY, Case, with_keys

DEEP = "a = " + "[" * 20_000 + "]" * 20_000 + "\n"


def _study(name: str, text: str | bytes, *says: str, exit_code: int = 2) -> Case:
    return Case(f"study/{name}", exit_code, says, study=text)


def _without(key: str) -> str:
    return "".join(line for line in STUDY.splitlines(keepends=True) if not line.startswith(key))


CASES = [
    _study("empty", "", "title", "outcome", "group", "missing"),
    _study("no outcome", _without("outcome"), "outcome is missing"),
    _study("no group", _without("group"), "group is missing"),
    _study("not TOML", "title: yes\n", "not valid TOML", "title: yes"),
    _study("key twice", with_keys('outcome = "y"\n'), "not valid TOML"),
    _study("text without quotes", with_keys("outcome_unit = s\n"), "not valid TOML", "quotes"),
    _study("unknown key", with_keys('otcome = "y"\n'), "otcome", "outcome"),
    _study("key of a table at the top", with_keys("max_rejected_share = 0.5\n"), "[rules]"),
    _study("outcome is a number", STUDY.replace('"y"', "3"), "outcome", "text in quotes"),
    _study("outcome is empty", STUDY.replace('"y"', '""'), "outcome"),
    _study("predictors are text", STUDY.replace('["x"]', '"x"'), "predictors", "list"),
    _study("predictor is the outcome", STUDY.replace('["x"]', '["y"]'), "'y'", "twice"),
    _study("predictor twice", STUDY.replace('["x"]', '["x", "x"]'), "'x'", "twice"),
    _study("predictor named intercept", STUDY.replace('["x"]', '["intercept"]'), "intercept", "rename"),
    _study("varying names no predictor", with_keys('varying = ["z"]\n'), "varying", "'z'"),
    _study("name with spaces", with_keys('name = "My Study"\n'), "name", "lowercase"),
    _study("share above one", with_keys("[rules]\nmax_rejected_share = 5\n"), "rules.max_rejected_share", "1"),
    _study("share is text", with_keys('[rules]\nmax_rejected_share = "5 %"\n'), "rules.max_rejected_share", "number"),
    _study("range upside down", with_keys("[rules.ranges]\ny = { min = 9, max = 1 }\n"), "min 9 is above max 1"),
    _study("range of another column", with_keys("[rules.ranges]\nz = { min = 9 }\n"), "rules.ranges", "'z'"),
    _study("range is infinite", with_keys("[rules.ranges]\ny = { min = inf }\n"), "rules.ranges.y.min", "finite"),
    _study("prior with SD zero", with_keys("[priors.slopes]\nx = { sd = 0 }\n"), "priors.slopes.x.sd"),
    _study("prior of nan", with_keys("[priors]\nsigma_residual_mean = nan\n"), "priors.sigma_residual_mean"),
    _study("one chain", with_keys("[sampler]\nchains = 1\n"), "sampler.chains", "2"),
    _study("a million draws", with_keys("[sampler]\ndraws = 1000000\n"), "sampler.draws", "100000"),
    _study("half a chain", with_keys("[sampler]\nchains = 2.5\n"), "sampler.chains", "whole number"),
    _study("number of 5,000 digits", with_keys(f"[sampler]\nseed = {'9' * 5000}\n"), "study.toml"),
    _study("deep nesting", with_keys(DEEP), "study.toml", "nest"),
    _study("a date for a number", with_keys("[sampler]\nseed = 2024-01-01\n"), "sampler.seed", "whole number"),
    _study("UTF-16", STUDY.encode("utf-16"), "UTF-8"),
    _study("Latin-1", with_keys('outcome_unit = "£"\n').encode("latin-1"), "UTF-8"),
    _study("null bytes", STUDY.encode() + b"\0", "not valid TOML"),
    _study("source leaves the folder", STUDY.replace("*.csv", "../*.csv"), "source", "folder"),
    _study("watch leaves the folder", with_keys('[trigger]\nwatch = "../in"\n'), "trigger.watch", "within"),
    _study("watch is absolute", with_keys('[trigger]\nwatch = "/tmp"\n'), "trigger.watch", "within"),
    _study("look leaves the folder", with_keys('[report]\nlook = "../look"\n'), "report.look", "within"),
    _study("look is not there", with_keys('[report]\nlook = "look"\n'), "look"),
    _study("cron minute 61", with_keys('[schedule]\ncron = "61 * * * *"\n'), "schedule", "61 * * * *"),
    _study("cron 31 February", with_keys('[schedule]\ncron = "0 0 31 2 *"\n'), "schedule", "0 0 31 2 *"),
    _study("cron in words", with_keys('[schedule]\ncron = "every monday"\n'), "schedule", "every monday"),
    _study("rrule SOMETIMES", with_keys('[schedule]\nrrule = "FREQ=SOMETIMES"\n'), "schedule", "FREQ=SOMETIMES"),
    _study(
        "interval of 1e300 minutes", with_keys("[schedule]\ninterval_minutes = 1e300\n"), "interval_minutes", "1e+300"
    ),
    _study("interval of 0 minutes", with_keys("[schedule]\ninterval_minutes = 0\n"), "interval_minutes"),
    _study("two schedules", with_keys('[schedule]\ncron = "0 6 * * 1"\ninterval_minutes = 5\n'), "exactly one"),
    _study(
        "no such time zone", with_keys('[schedule]\ncron = "0 6 * * 1"\ntimezone = "London"\n'), "London", "time zone"
    ),
    _study("unknown encoding", with_keys('encoding = "klingon"\n'), "encoding", "klingon"),
    _study("encoding that is no text", with_keys('encoding = "zip"\n'), "encoding"),
    _study("delimiter of two letters", with_keys('delimiter = "||"\n'), "delimiter"),
    _study("notice of nothing", with_keys('[notify]\non = ["never"]\n'), "notify.on"),
    _study("title of 400 letters", STUDY.replace("Does x change y?", "x" * 400), "title", "300"),
    _study("escape codes in a key", with_keys('"\\u001b[31mred" = 1\n'), "not a key", exit_code=2),
    _study("comment of 100,000 letters", with_keys("# " + "a" * 100_000 + "\n"), "80 of 80 rows", exit_code=0),
    _study(
        "address of 100,000 letters", with_keys(f'[notify]\nto = ["{"x" * 100_000}"]\n'), "80 of 80 rows", exit_code=0
    ),
    Case("study/none", 2, ("study.toml", "poolwise new"), study=None),
    Case("study/a folder in its place", 2, ("study.toml",), {"study.toml/x": ""}, None),
]
