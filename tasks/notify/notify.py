"""Sends notices to people through Apprise: e-mail, Slack, webhooks and whatever else it has an address for.

Nothing here stops a run. What could not be delivered is returned and logged, without secrets: the address of a webhook
or a mailbox often holds its password.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tasks.disk.layout import REPORT, folder_of, latest_run
from tasks.disk.mirror import mirror_of
from tasks.notify.mail import PICTURE, mail_of
from tasks.opening.studies import OpenedStudy
from tasks.reports.told import remember_told, was_told
from tasks.rows.sources.of_study import source_of
from tasks.study.errors import PoolwiseError
from tasks.study.model import Study
from tasks.study.receivers import MASK, MissingVariable, filled, masked, scrubbed
from tasks.view.notices import Kind, Notice, failure, stale

# Where the reports folder can be read over HTTP; set by whoever serves it.
BASE_ADDRESS = "POOLWISE_REPORTS_URL"
SECONDS_PER_DAY = 86_400.0
LOG = logging.getLogger("poolwise")


@dataclass(frozen=True)
class Delivery:
    """One notice to one receiver; `problem` is empty when it was delivered."""

    kind: Kind
    receiver: str  # masked
    problem: str = ""


def deliver(study: Study, notices: Sequence[Notice]) -> tuple[Delivery, ...]:
    """Send each notice to each of the study's receivers; what fails is logged and returned, never raised."""
    deliveries = tuple(
        _deliver(notice, receiver.get_secret_value()) for notice in notices for receiver in study.notify.to
    )
    for each in deliveries:
        if each.problem:
            LOG.warning("%s: a notice (%s) did not reach %s: %s", study.name, each.kind, each.receiver, each.problem)
    return deliveries


def notify_failure(opened: OpenedStudy, error: BaseException, reports: Path | None = None) -> tuple[Delivery, ...]:
    """Send the notice that a run of this study published nothing; by the flow, or by what supervises it."""
    address = _latest_address(reports, opened.study.name) if reports else ""
    notice = failure(opened.study, error, address)
    return deliver(opened.study, [notice] if notice else [])


def notify_stale(opened: OpenedStudy, reports: Path, age_days: float | None) -> tuple[Delivery, ...]:
    """Send the notice that the data are past max_age_days, once per newest file; returns no delivery if none is due."""
    notice = stale(opened.study, age_days, _latest_address(reports, opened.study.name))
    if notice is None or is_told_stale(opened, reports):
        return ()
    deliveries = deliver(opened.study, [notice])
    remember_stale(opened, reports, deliveries)
    return deliveries


def is_told_stale(opened: OpenedStudy, reports: Path) -> bool:
    """Whether the newest data file is the one whose age somebody has been told."""
    try:
        return was_told(reports, opened.study.name, "stale", str(source_of(opened).newest()))
    except PoolwiseError:
        return False


def remember_stale(opened: OpenedStudy, reports: Path, deliveries: Sequence[Delivery]) -> None:
    """Note which data file is the newest, if a stale notice was delivered."""
    if any(each.kind == "stale" and not each.problem for each in deliveries):
        try:
            remember_told(reports, opened.study.name, "stale", str(source_of(opened).newest()))
        except PoolwiseError as error:
            LOG.warning("%s: could not note that the data's age was told: %s", opened.study.name, error)


def age_in_days(opened: OpenedStudy) -> float | None:
    """Days since the newest of the study's files was modified; None for a study without max_age_days."""
    newest = source_of(opened).newest() if opened.study.notify.max_age_days is not None else None
    return None if newest is None else max((datetime.now(UTC) - newest).total_seconds(), 0.0) / SECONDS_PER_DAY


def report_address(folder: Path) -> str:
    """The address of a published report: below BASE_ADDRESS if that is set, else in its store, or of its file."""
    base = os.environ.get(BASE_ADDRESS, "").rstrip("/")
    if base:
        return f"{base}/{folder.parent.name}/{folder.name}/{REPORT}"
    mirror = mirror_of(folder.parent.parent)
    return mirror.address_of(folder / REPORT) if mirror else (folder / REPORT).resolve().as_uri()


def in_words(deliveries: Sequence[Delivery]) -> str:
    """For the terminal: `2 notices sent, 1 not: slack://*** (the environment variable HOOK is not set)`."""
    failed = [each for each in deliveries if each.problem]
    sent = len(deliveries) - len(failed)
    problems = "; ".join(dict.fromkeys(f"{each.receiver} ({each.problem})" for each in failed))
    told = f"{sent} notice{'s'[: sent != 1]} sent"
    return f"{told}, {len(failed)} not: {problems}" if failed else told


def _latest_address(reports: Path, study_name: str) -> str:
    """The address of the study's newest report; empty if there is none."""
    latest = latest_run(folder_of(reports, study_name))
    return report_address(latest) if latest.exists() else ""


def _deliver(notice: Notice, receiver: str, environment: Mapping[str, str] = os.environ) -> Delivery:
    """Send the notice, unless the address is masked or names a variable that is not set."""
    shown = masked(receiver)
    if MASK in receiver:
        return Delivery(notice.kind, shown, "the address was masked when this study file was published; give it anew")
    try:
        address = filled(receiver, environment)
    except MissingVariable as missing:
        return Delivery(notice.kind, shown, str(missing))
    return Delivery(notice.kind, shown, _send(notice, address))


def _send(notice: Notice, address: str) -> str:
    """Send the notice; returns why that failed, or an empty text."""
    with _heard() as said:
        try:
            from apprise import Apprise, AppriseAsset, NotifyType

            kinds = {"warning": NotifyType.WARNING, "failure": NotifyType.FAILURE}
            service = Apprise(asset=AppriseAsset(app_id="Poolwise", app_desc="Poolwise", async_mode=False))
            if not service.add(address):
                return "it is no address that Apprise knows"
            content = _mail(notice, service[0]) or _text(notice)
            is_sent = service.notify(title=notice.title, notify_type=kinds[notice.severity], **content)
        except Exception as error:  # whatever a service's plugin does, the report stands
            return scrubbed(f"{type(error).__name__}: {error}", address)
    return "" if is_sent else scrubbed(" ".join(said) or "it was refused", address)


def _text(notice: Notice) -> dict[str, Any]:
    from apprise import NotifyFormat

    return {"body": notice.body, "body_format": NotifyFormat.TEXT}


def _mail(notice: Notice, service: Any) -> dict[str, Any] | None:
    """The notice with verdict and picture, for mail alone, and not where the address asks for text; otherwise None.

    Of Apprise's services only that of `mailto://` and `mailtos://` shows attached pictures within the text.
    """
    from apprise import NotifyFormat
    from apprise.attachment.memory import AttachMemory
    from apprise.plugins.email.base import NotifyEmail

    if not isinstance(service, NotifyEmail) or service.notify_format != NotifyFormat.HTML:
        return None
    mail = mail_of(notice)
    if mail is None:
        return None
    service.inline = True
    pictures = [AttachMemory(mail.picture, name=PICTURE, mimetype="image/png")] if mail.picture else None
    return {"body": mail.html, "body_format": NotifyFormat.HTML, "attach": pictures}


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Collects Apprise's warnings, which would otherwise reach the terminal with parts of the address."""
    logger, said = logging.getLogger("apprise"), list[str]()
    handler = _Listener(said)
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.propagate = before
        logger.removeHandler(handler)


class _Listener(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said.append(record.getMessage().rstrip(".") + ".")
