import pytest

from asi_arch.domain.candidate import Author
from asi_arch.report.export.card import card, cell, quoted
from asi_arch.report.export.subject import Source, Subject
from asi_arch.testing.synthetic import add_verdict, synthetic_store

from .conftest import MakeSubject


def text_of(subject: Subject) -> str:
    return card(subject, packages=("torch", "transformers"), parameters=12_345, has_step=False)


def test_the_card_tells_where_the_model_comes_from(make_subject: MakeSubject) -> None:
    subject = make_subject(papers=(Source("2406.06484", "DeltaNet, in parallel"), Source("own-notes", "")))
    text = text_of(subject)
    stated = (
        "# KeenMixer",
        "12,345 parameters",
        "| data | a text of ours; with a semicolon: 1 file, 1.0 MB |",
        "500 of 8 x 256 tokens",
        "trained seeds 0, 1",
        "#0 delta\\_net → #7 KeenMixer",
        "* DeltaNet, in parallel (arXiv 2406.06484)",
        "* a paper (own-notes)",
        "license: apache-2.0",
        subject.experiment.proposal.sha,
        subject.run.weights,
        subject.experiment.protocol,
        "1.6600 nats per token (2.395 bits per byte)",
    )
    assert [line for line in stated if line not in text] == []
    assert "\n\n\n" not in text


def test_without_a_verdict_it_says_so(make_subject: MakeSubject) -> None:
    text = text_of(make_subject())
    assert "**Not verified.**" in text
    assert "asi-arch verify 7" in text


def test_a_verdict_is_shown_with_its_intervals(make_subject: MakeSubject) -> None:
    store = synthetic_store(20)
    verdict = add_verdict(store, store.pool(1, 100)[0].index)
    text = text_of(make_subject(verdict=verdict))
    first = verdict.comparisons[0]
    gap = first.difference
    assert f"{gap.estimate:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]" in text
    assert "Not verified" not in text


@pytest.mark.parametrize("author", [Author.USER, Author.IMPORTED])
def test_the_licence_of_others_is_not_ours_to_give(make_subject: MakeSubject, author: Author) -> None:
    text = text_of(make_subject(author=author))
    assert "license: other" in text
    assert "its licence is its author's to give" in text


def test_what_others_wrote_stays_text(make_subject: MakeSubject) -> None:
    text = text_of(
        make_subject(
            name="<img src=x onerror=alert(1)>",
            motivation="<script>alert(1)</script>\n# A heading [click](b)\n\x1b[2J",
            change="[click](javascript:alert(1))",
            mechanisms=("a|b", "`code`"),
        )
    )
    assert "<script>" not in text
    assert "\n# A heading" not in text
    assert "\x1b" not in text
    assert " [click](" not in text
    assert "\\<img" in text


def test_quotations_and_cells_are_escaped() -> None:
    assert quoted("a\n\nb <i> [c]") == "> a\n>\n> b &lt;i> \\[c]"
    assert cell("a\n  b|c") == "a b\\|c"
