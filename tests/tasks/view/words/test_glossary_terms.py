import pytest

from tasks.view.words.glossary import GLOSSARY
from tasks.view.words.glossary_terms import meanings, segments


def marked(text, seen=None):
    return [piece.text for piece in segments(text, set() if seen is None else seen) if piece.meaning]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Partial pooling draws", ["Partial pooling"]),
        ("the partial-pooling model", ["partial-pooling"]),
        ("a singular fit, two singular fits", ["singular fit"]),
        ("its sigma_group is 3", ["sigma_group"]),
        ("no divergences, high E-BFMI", ["divergences"]),
        ("R-hat and ESS", ["R-hat", "ESS"]),
        ("the lower-case ess is no short form", []),
        ("ICCs, LESS and REMLish are other words", []),
        ("a group of rows", []),
        ("Bayesian intervals", ["Bayesian intervals"]),
        ("Bayesian", []),
        ("τ alone", []),
    ],
)
def test_terms_are_found_as_whole_words(text, terms):
    assert marked(text) == terms


@pytest.mark.parametrize("text", ["", "nothing", "ICC", "ICC<b>ICC", "x ICC y REML z"])
def test_the_pieces_are_the_text(text):
    assert "".join(piece.text for piece in segments(text, set())) == text


def test_a_term_is_marked_once_under_any_of_its_names():
    seen = set()
    assert marked("The group SD", seen) == ["group SD"]
    assert marked("sigma_group, group SDs and REML", seen) == ["REML"]


def test_every_meaning_has_its_own_id_and_the_glossary_s_order():
    used = {piece.meaning for head, _ in GLOSSARY for piece in segments(head, set()) if piece.meaning}
    found = meanings(used)
    assert len(found) >= len(GLOSSARY) - 3
    heads = [head for head, _ in GLOSSARY]
    assert [term for _, term, _ in found] == [head for head in heads if head in {term for _, term, _ in found}]
    assert len({identifier for identifier, _, _ in found}) == len(found)
