import pytest

from asi_arch.domain.exchanges import Charge
from asi_arch.report.account.account import Account, Points, Section, account
from asi_arch.report.account.markdown import markdown
from asi_arch.report.digest import digest
from asi_arch.report.sheets.collection import sheets
from asi_arch.report.sheets.sheet import Column, Row, Sheet
from asi_arch.report.tables import comparison_table

TITLES = ["Question", "Method", "Result", "What failed", "Threats to validity", "Cost"]


def told(store):
    campaign, table = digest(store), comparison_table(store)
    return account(campaign, table, sheets(campaign, table, store))


def test_the_account_has_its_sections_at_every_age(young):
    found = told(young)
    assert [section.title for section in found.sections] == TITLES
    assert all(section.blocks for section in found.sections)


def test_sentences_are_made_of_what_is_stored(verified):
    text = markdown(told(verified))
    read = digest(verified)
    measured = sum(line.summary.is_measured for line in read.candidates)
    assert f"Of {len(read.candidates)} proposals, {measured} were trained to the end and measured" in text
    assert "luck alone would make a quarter of them leads" in text
    assert "| design | standing |" in text
    assert "Verifications are not in it." in text


def test_an_imported_account_presents_no_placeholder_as_a_fact(imported):
    text = markdown(told(imported))
    assert [section.title for section in told(imported).sections] == TITLES
    assert "What failed and what it cost is not in the imported data." in text
    profile = imported.campaign().profile
    for placeholder in (f"{profile.language.steps}", "DeltaNet", "delta_net", "CPU time", profile.search.policy.value):
        assert placeholder not in text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<script>alert(1)</script>", r"\<script\>alert(1)\</script\>"),
        ("[x](javascript:y)", r"\[x\](javascript:y)"),
        ("a_b *c* _d_ `e`", r"a_b \*c\* \_d\_ \`e\`"),
        ("# no heading", r"\# no heading"),
        ("1. no list", r"1\. no list"),
        ("- no list\n# nor this", r"\- no list # nor this"),
        ("a & b", "a &amp; b"),
    ],
)
def test_words_of_others_are_no_markup(text, line):
    found = markdown(Account("t", (Section("s", (text, Points((text,)))),)))
    assert found == f"# t\n\n## s\n\n{line}\n\n- {line}\n"


def test_a_table_has_a_row_on_each_line():
    sheet = Sheet("n", "T", (Column("a|b"), Column("c")), (Row(("x|y", 1.5)), Row(("z\nz", None))), "note")
    found = markdown(Account("t", (Section("s", (sheet,)),)))
    assert found.endswith("| a\\|b | c |\n| --- | ---: |\n| x\\|y | 1.500 |\n| z z | \u2013 |\n")


@pytest.mark.parametrize(
    ("charge", "told"),
    [
        (None, "No language model was asked."),
        (Charge(0, 0, 0.0), "No language model was asked."),
        (Charge(119, 123_456, 1.5), "asked 119 times, 123,456 tokens for 1.50 USD."),
        (Charge(1, 800, None), "asked 1 time, 800 tokens at a price that is not known."),
    ],
)
def test_what_minds_have_cost_is_told(verified, charge, told):
    campaign, table = digest(verified), comparison_table(verified)
    cost = account(campaign, table, [], charge).sections[-1]
    assert cost.title == "Cost"
    assert str(cost.blocks[-1]).endswith(told)
