"""What cannot be reached is told with its place, and without its secrets."""

from __future__ import annotations

import pytest

from tasks.disk.reaching import reaching, without_secrets
from tasks.study.errors import DataRejected, PoolwiseError

ENVIRONMENT = {
    "AWS_ENDPOINT_URL": "http://store.example.org:9000",
    "AWS_SECRET_ACCESS_KEY": "a-secret-key",
    "WAREHOUSE_URL": "postgresql://u:hidden@h/d",
    "SHORT_KEY": "a",
}


def test_secrets_are_hidden_and_places_are_not() -> None:
    said = "http://store.example.org:9000/b refused a-secret-key, postgresql://u:hidden@h/d and another"
    told = without_secrets(said, ("another",), ENVIRONMENT)
    assert told == "http://store.example.org:9000/b refused ***, *** and ***"


def test_the_class_of_an_error_is_told_as_it_may_say_nothing() -> None:
    with (
        pytest.raises(PoolwiseError, match=r"^s3://b/x cannot be read: KeyError\. Look there\.$"),
        reaching("s3://b/x", "Look there."),
    ):
        raise KeyError


def test_what_is_told_in_our_words_already_is_passed_on() -> None:
    with pytest.raises(DataRejected, match=r"^no object$"), reaching("s3://b/x", "Look there."):
        raise DataRejected("no object")
