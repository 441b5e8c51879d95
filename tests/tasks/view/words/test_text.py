from tasks.view.words import text


def test_direction_overrides_and_control_characters_go():
    assert text.clean("a\u202eb\u2066c\x00d\u2028e\ud800") == "abc d e"


def test_emoji_joiners_and_other_scripts_stay():
    family = "👩\u200d👧"
    assert text.clean(family) == family
    assert text.clean("Łódź 東京") == "Łódź 東京"


def test_right_to_left_text_is_isolated_and_other_text_is_not():
    assert text.label("ירושלים") == "\u2068ירושלים\u2069"
    assert text.label("Kent") == "Kent"


def test_a_long_label_keeps_its_beginning_and_its_end():
    shown = text.label("begin" + "x" * 500 + "end")
    assert len(shown) == 60
    assert shown.startswith("begin")
    assert shown.endswith("end")


def test_units_become_singular_and_short_forms_stay():
    plural = ("years", "days", "ms", "lbs", "celsius", "class")
    assert [text.singular(unit) for unit in plural] == ["year", "day", "ms", "lbs", "celsius", "class"]


def test_no_label_is_empty():
    assert text.label(" \u200e ") == "(blank)"


def test_sentences_of_the_core_get_typographic_signs_and_names_keep_their_hyphens():
    assert (
        text.typeset("the fit's slope -6.97, 5% of groups' rows") == "the fit’s slope −6.97, 5\u202f% of groups’ rows"
    )
    assert text.typeset("Brown-Forsythe 2026-11-23 unit-3") == "Brown-Forsythe 2026-11-23 unit-3"


def test_sentences_keep_their_narrow_spaces_and_isolated_labels_and_lose_what_could_reorder_them():
    label = text.label("ירושלים")
    assert text.typeset(f"{label} is 3\u202fms\n wide\u202e, 5\u202f%") == f"{label} is 3\u202fms wide, 5\u202f%"
    assert text.sentence(" a\x00b\u2028c ") == "a b c"


def test_markdown_shows_texts_as_they_are():
    assert text.markdown("[x](http://e.org) *a* <b> `c` #1 ![p]") == (
        r"\[x\]\(http\://e\.org\) \*a\* \<b\> \`c\` \#1 \!\[p\]"
    )
    assert text.markdown("one\n# two\u202e") == r"one \# two"
