import asyncio
from random import Random

import pytest

from asi_arch.agents.composer import Composer
from asi_arch.agents.features import code_features, similarity
from asi_arch.agents.judge import RubricJudge, nearest_relative
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.experiment import Experiment, Judgement
from asi_arch.domain.outcome import CheckReport
from asi_arch.domain.ports import Brief, Evidence
from asi_arch.testing.records import make_checks, make_experiment, make_proposal


def judged(
    proposal: Proposal,
    checks: CheckReport | None = None,
    *,
    reference: Experiment | None = None,
    others: tuple[Proposal, ...] = (),
) -> Judgement:
    context = Evidence(reference, None, (), others, None)
    return asyncio.run(RubricJudge().judge(proposal, checks or make_checks(proposal), context))


def mark(judgement: Judgement, name: str) -> float:
    return next(found.value for found in judgement.marks if found.name == name)


def with_work(proposal: Proposal, factor: float) -> CheckReport:
    checks = make_checks(proposal)
    assert checks.footprint is not None
    counts = {name: int(getattr(checks.footprint, name) * factor) for name in ("aten_calls", "flops", "elements")}
    return checks.model_copy(update={"footprint": checks.footprint.model_copy(update=counts)})


def test_equal_input_gives_an_equal_judgement(lineage: list[Proposal]) -> None:
    others = tuple(lineage[:100])
    assert judged(lineage[100], others=others) == judged(lineage[100], others=others)


def test_the_score_is_the_weighted_mean_of_marks_between_zero_and_one(lineage: list[Proposal]) -> None:
    for index in range(20, 60):
        found = judged(lineage[index], others=tuple(lineage[:index]))
        assert all(0.0 <= m.value <= 1.0 and m.reason.endswith(".") for m in found.marks)
        assert found.score == pytest.approx(sum(m.value * m.weight for m in found.marks))
        assert sum(m.weight for m in found.marks) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("factor", "expected"), [(0.25, 1.0), (0.5, 0.75), (1.0, 0.5), (2.0, 0.25), (4.0, 0.0), (40.0, 0.0)]
)
def test_efficiency_falls_with_the_logarithm_of_the_work(factor: float, expected: float) -> None:
    proposal, reference = make_proposal("a"), make_experiment(0)
    found = judged(proposal, with_work(proposal, factor), reference=reference)
    assert mark(found, "efficiency") == pytest.approx(expected, abs=0.01)


def test_what_was_not_counted_earns_nothing() -> None:
    proposal = make_proposal("a")
    found = judged(proposal, CheckReport(sha=proposal.sha), reference=make_experiment(0))
    assert (mark(found, "efficiency"), mark(found, "simplicity")) == (0.0, 0.0)


def test_longer_code_is_less_simple() -> None:
    proposal = make_proposal("a")
    checks = make_checks(proposal)
    assert checks.footprint is not None
    marks = []
    for lines in (30, 60, 120, 300):
        footprint = checks.footprint.model_copy(update={"code_lines": lines})
        marks.append(mark(judged(proposal, checks.model_copy(update={"footprint": footprint})), "simplicity"))
    assert marks == sorted(marks, reverse=True)
    assert marks[0] == 1.0


def test_the_first_proposal_is_new_and_a_copy_is_not(lineage: list[Proposal]) -> None:
    copy = lineage[30].model_copy(update={"name": "copy"})
    assert mark(judged(lineage[0]), "innovation") == 1.0
    assert mark(judged(copy, others=tuple(lineage[:60])), "innovation") == 0.0


def test_the_nearest_relative_is_named(lineage: list[Proposal]) -> None:
    brief = Brief(lineage[30], (), 30, (), {proposal.fingerprint: 0 for proposal in lineage})
    found = [judged(Composer().compose(brief, Random(seed)), others=tuple(lineage[:60])) for seed in range(5)]
    assert any(0.0 < mark(judgement, "innovation") < 1.0 for judgement in found)
    for judgement in found:
        assert any(proposal.name in judgement.marks[2].reason for proposal in lineage[:60])


def test_renaming_and_comments_are_not_innovation() -> None:
    source = "import torch\n\ndef f(a, b):\n    return torch.relu(a) + b * 2\n"
    other = "import torch\n\n# new!\ndef g(x, y):\n    '''Wonderful.'''\n    return torch.relu(x) + y * 2\n"
    assert similarity(code_features(source), code_features(other)) == 1.0
    assert similarity(code_features(source), code_features(source.replace("relu", "tanh"))) < 1.0


def test_a_text_that_is_not_python_is_marked_without_raising() -> None:
    proposal = make_proposal("a", source="def (")
    assert mark(judged(proposal, others=(make_proposal("b"),)), "simplicity") == 0.0


def test_every_program_is_parsed_once_however_often_it_is_compared(lineage: list[Proposal]) -> None:
    many = tuple(lineage) * 30
    judged(lineage[0], others=many)
    before = code_features.cache_info().misses
    judged(lineage[1], others=many)
    assert code_features.cache_info().misses == before


def test_judgements_of_before_samples_were_kept_can_be_read() -> None:
    mark = {"name": "innovation", "value": 0.5, "weight": 1.0, "reason": "It is new."}
    found = Judgement.model_validate({"judge": "rubric", "marks": [mark], "score": 0.5})
    assert (found.agreement, found.note, found.marks[0].samples) == (None, "", ())


def test_names_of_its_authors_own_make_a_design_no_more_innovative() -> None:
    relative = make_proposal("relative")
    free = make_proposal("free").model_copy(update={"author": Author.MODEL, "mechanisms": ()})
    renamed = free.model_copy(update={"mechanisms": ("a clock of its own", "the delta rule")})
    found = [nearest_relative(proposal, [relative]) for proposal in (free, renamed)]
    assert found[0] is not None
    assert found[0] == found[1]
