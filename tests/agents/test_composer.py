import ast
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from asi_arch.agents.composer import BASELINE_DESIGNS, CATALOGUE, Composer, Design, Part, baseline_proposal, rendered
from asi_arch.agents.composer.baselines import nearest_design
from asi_arch.agents.composer.design import settle
from asi_arch.agents.composer.mutation import invented, mutated
from asi_arch.agents.composer.wording import name_of
from asi_arch.domain.candidate import Author, Proposal, fingerprint
from asi_arch.domain.errors import LabError
from asi_arch.domain.ports import Brief
from asi_arch.testing.records import make_proposal

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
LINTED = 40
FIELD = {
    "routed": {
        "delta_rule": {},
        "scalar_decay": {"half_life": 32},
        "decay_spread": {"factor": 4},
        "erase_write_gates": {},
        "negative_eigenvalues": {},
        "short_convolution": {"streams": "qkv", "taps": 4},
        "unit_keys": {},
        "multi_scale_fir": {"taps": (3, 15)},
        "value_path": {},
        "token_gates": {"prior": 1.0},
        "routing_temperature": {"start": 1.0},
        "probability_floor": {"floor": 0.02},
        "head_norm": {},
    },
    "stepping": {
        "delta_rule": {},
        "channel_decay": {"half_life": 64},
        "delta_steps": {"steps": 3},
        "token_shift": {"reach": 0.6},
        "unit_keys": {},
        "rotary": {},
        "window_branch": {"window": 32},
        "slow_memory": {"half_life": 128},
        "hierarchical_gates": {"prior": 1.0},
        "output_aware_routing": {},
        "gated_norm": {},
        "low_rank_gate": {"share": 4},
    },
}


def design_of(parts: dict[str, dict[str, object]]) -> Design:
    return Design(parts=tuple(Part(key=key, settings=settings) for key, settings in parts.items()))


def brief_for(
    parent: Proposal | None, taken: dict[str, int] | None = None, references: tuple[Proposal, ...] = ()
) -> Brief:
    indices = tuple(range(10, 10 + len(references)))
    return Brief(parent, references, None if parent is None else 7, indices, taken or {})


def test_every_invention_of_a_long_lineage_is_a_program_that_nobody_had(lineage: list[Proposal]) -> None:
    assert len({proposal.fingerprint for proposal in lineage}) == len(lineage) >= 300
    for proposal in lineage:
        compile(proposal.source, proposal.name, "exec")
        assert proposal.fingerprint == fingerprint(proposal.source)


def test_names_are_unique_in_a_long_lineage(lineage: list[Proposal]) -> None:
    assert len({proposal.name for proposal in lineage}) == len(lineage)


def test_composed_code_passes_the_linter_and_the_formatter(lineage: list[Proposal], tmp_path: Path) -> None:
    for index, proposal in enumerate(lineage[-LINTED:]):
        (tmp_path / f"candidate_{index}.py").write_text(proposal.source)
    config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", str(tmp_path)]
    for command in (["check", "--select", "E,F,I,B,UP,SIM,ERA,RUF"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *config], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_composed_code_has_docstrings_and_no_unused_names(lineage: list[Proposal]) -> None:
    for proposal in lineage:
        tree = ast.parse(proposal.source)
        documented = [n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef)]
        missing = [n for n in documented if ast.get_docstring(n) is None and getattr(n, "name", "") != "__init__"]
        assert not missing, proposal.name
        assert bound_but_unused(tree) <= {"layer_idx", "Mixer", "forward", "__init__"}, proposal.name


def bound_but_unused(tree: ast.Module) -> set[str]:
    bound, used = set[str](), set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.alias(name=name, asname=asname):
                bound.add(asname or name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                bound.add(name)
            case ast.Name(id=name) | ast.Attribute(attr=name):
                used.add(name)
            case _:
                pass
    return bound - used


def test_a_proposal_is_a_pure_function_of_brief_and_generator(lineage: list[Proposal]) -> None:
    brief = brief_for(lineage[40], references=tuple(lineage[50:54]))
    assert Composer().compose(brief, Random(5)) == Composer().compose(brief, Random(5))
    assert Composer().compose(brief, Random(5)) != Composer().compose(brief, Random(6))


def test_a_program_that_is_taken_is_never_proposed_again() -> None:
    parent = baseline_proposal("delta_net", rendered(BASELINE_DESIGNS["delta_net"], "d"), "", "DeltaNet")
    taken: dict[str, int] = {}
    for index in range(12):
        found = Composer().compose(brief_for(parent, taken), Random(1))
        assert found.fingerprint not in taken
        taken[found.fingerprint] = index


def test_a_world_in_which_everything_is_taken_ends_in_an_error() -> None:
    class Everything(dict[str, int]):
        def __contains__(self, key: object) -> bool:
            return True

    with pytest.raises(LabError, match="no new program in 200 drafts"):
        Composer().compose(brief_for(None, Everything(one=1)), Random(0))


def test_proposals_speak_for_themselves(lineage: list[Proposal]) -> None:
    for proposal in lineage:
        if proposal.author is Author.BASELINE:
            continue
        design = Design.model_validate_json(proposal.design)
        assert proposal.mechanisms == design.keys
        assert proposal.name in proposal.source
        assert proposal.motivation.count(".") >= 2
        assert "should" in proposal.expectation
        assert proposal.change.endswith(".")
        assert proposal.change[0].isupper()


def test_the_parent_and_what_it_lacks_are_named_in_the_motivation() -> None:
    parent = baseline_proposal("delta_net", rendered(BASELINE_DESIGNS["delta_net"], "d"), "", "DeltaNet")
    found = [Composer().compose(brief_for(parent), Random(seed)) for seed in range(10)]
    assert all("DeltaNet" in proposal.motivation for proposal in found)
    assert all(proposal.parent == 7 for proposal in found)


def test_a_crossed_partner_is_one_of_the_references(lineage: list[Proposal]) -> None:
    brief = brief_for(lineage[0], references=tuple(lineage[60:64]))
    found = [Composer().compose(brief, Random(seed)) for seed in range(40)]
    partners = {proposal.partner for proposal in found}
    assert partners - {None}
    assert partners <= {None, *brief.reference_indices}
    assert all(proposal.references == brief.reference_indices for proposal in found)


def test_a_design_from_nothing_has_no_parents() -> None:
    found = Composer().compose(brief_for(None), Random(3))
    assert (found.parent, found.partner, found.references) == (None, None, ())
    assert found.change == "A design from nothing."


def test_free_code_is_taken_further_from_its_nearest_design() -> None:
    source = rendered(BASELINE_DESIGNS["rwkv7"], "mine").replace("self.bonus", "self.extra")
    assert nearest_design(source) == BASELINE_DESIGNS["rwkv7"]
    found = Composer().compose(brief_for(make_proposal("mine", source=source, mechanisms=())), Random(0))
    assert "mine is free code" in found.motivation


@pytest.mark.parametrize("name", list(BASELINE_DESIGNS))
def test_baselines_come_with_a_design(name: str) -> None:
    found = baseline_proposal(name, "x = 1\n", "why", "Title")
    assert (found.author, found.name, found.fingerprint) == (Author.BASELINE, "Title", fingerprint("x = 1\n"))
    assert Design.model_validate_json(found.design) == BASELINE_DESIGNS[name]


def test_an_unknown_baseline_is_free_code() -> None:
    found = baseline_proposal("softmax_attention", "x = 1\n", "why", "Softmax")
    assert (found.design, found.mechanisms) == ("", ())


@pytest.mark.parametrize("name", list(FIELD))
def test_renderings_stay_as_they_were(name: str) -> None:
    design = design_of(FIELD[name])
    assert rendered(design, name_of(design)) == (GOLDEN / f"{name}.py.txt").read_text()


def test_the_search_reaches_every_mechanism() -> None:
    used = set[str]()
    for seed in range(300):
        rng = Random(seed)
        design = invented(rng)
        for _ in range(5):
            design = mutated(design, rng)
            used |= set(design.keys)
    assert used == set(CATALOGUE)
    assert len(CATALOGUE) >= 28


@pytest.mark.parametrize("key", list(CATALOGUE))
def test_every_mechanism_changes_the_code(key: str) -> None:
    smallest = settle([Part(key=key, settings={n: v[0] for n, v in CATALOGUE[key].settings.items()}), *context_of(key)])
    assert key in smallest
    without = settle([part for part in smallest.parts if part.key != key], barred=frozenset({key}))
    assert fingerprint(rendered(smallest, "a")) != fingerprint(rendered(without, "a"))


@pytest.mark.parametrize(("key", "setting"), [(m.key, name) for m in CATALOGUE.values() for name in m.settings])
def test_every_choice_of_every_setting_changes_the_code(key: str, setting: str) -> None:
    plain = {name: values[0] for name, values in CATALOGUE[key].settings.items()}
    sources = {
        fingerprint(rendered(settle([Part(key=key, settings={**plain, setting: choice}), *context_of(key)]), "a"))
        for choice in CATALOGUE[key].settings[setting]
    }
    assert len(sources) == len(CATALOGUE[key].settings[setting])


def context_of(key: str) -> list[Part]:
    """What the mechanism must stand within."""
    parts: list[Part] = []
    for member in (group[0] for group in CATALOGUE[key].within):
        settings = {name: values[0] for name, values in CATALOGUE[member].settings.items()}
        parts += [Part(key=member, settings=settings), *context_of(member)]
    return parts
