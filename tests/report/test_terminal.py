import io
import re
import subprocess
import sys

import pytest
from rich.console import Console

from asi_arch.domain.outcome import Finding, Rejected, Severity, StoppedEarly
from asi_arch.domain.profile import StageName
from asi_arch.report import payload, terminal
from asi_arch.report.sparkline import chart
from asi_arch.report.words import BY_A_MODEL
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_analysis, make_campaign, make_experiment, make_proposal


def shown(view, width=100):
    console = Console(width=width, force_terminal=False, file=io.StringIO())
    console.print(view)
    return console.file.getvalue()


def everything(store, width=100):
    views = [
        terminal.status_view(payload.status_payload(store), 1_800_000_500.0),
        terminal.best_view(payload.best_payload(store)),
        terminal.tree_view(payload.tree_payload(store)),
        *(terminal.experiment_view(payload.experiment_payload(store, s.index)) for s in store.summaries()),
    ]
    return [shown(view, width) for view in views]


def test_every_view_works_from_the_first_experiment_on(young):
    assert all(everything(young))


@pytest.mark.parametrize("width", [40, 80, 200])
def test_views_fit_narrow_and_wide_terminals(verified, width):
    for text in everything(verified, width):
        assert max(len(line) for line in text.splitlines()) <= width


def test_a_tie_stands_in_parentheses(verified):
    text = shown(terminal.best_view(payload.best_payload(verified)))
    assert "✓" in text
    assert "(+0.0" in text or "(\u22120.0" in text


def test_an_experiments_page_names_idea_result_and_code(verified):
    index = verified.verdicts()[0].index
    text = shown(terminal.experiment_view(payload.experiment_payload(verified, index)), 120)
    for part in ("Motivation", "Averages with several decays", "verified:", "class Mixer", "Difference to the parent"):
        assert part in text


def test_a_models_part_in_an_analysis_is_told(store_of):
    parts = {"findings": ("Early keys are overwritten.",), "author": "model"}
    by_model = make_experiment(1).model_copy(update={"analysis": make_analysis().model_copy(update=parts)})
    noted = make_experiment(3).model_copy(
        update={"analysis": make_analysis().model_copy(update={"note": "It is away."})}
    )
    store = store_of(by_model, noted)
    first, second = (shown(terminal.experiment_view(payload.experiment_payload(store, i)), 200) for i in (1, 3))
    assert "- Early keys are overwritten." in first
    assert BY_A_MODEL in first
    assert "It is away." in second
    assert BY_A_MODEL not in second


def test_the_tree_marks_the_best(campaign):
    text = shown(terminal.tree_view(payload.tree_payload(campaign)))
    (line,) = [line for line in text.splitlines() if "← best" in line]
    assert f"#{campaign.pool(1, 100)[0].index} " in line


def test_a_large_tree_leaves_out_leaves_without_a_fitness():
    store = FakeStore()
    store.create(make_campaign())
    for index in range(402):
        store.record(make_experiment(index, make_proposal(f"m{index}", parent=0 if index else None)), None)
    text = shown(terminal.tree_view(payload.tree_payload(store)))
    assert "401 experiments without a fitness" in text


def test_neither_markup_nor_escape_sequences_reach_the_terminal():
    store = FakeStore()
    store.create(make_campaign())
    evil = make_proposal("x", motivation="[red]\x1b[2Jgone[/red] [/nonsense]", source="x = 1  # \x1b]0;title\x07\n")
    store.record(make_experiment(0, evil), 0.5)
    text = "".join(everything(store))
    assert "\x1b" not in text
    assert "[red]" in text


def test_a_chart_shows_a_falling_curve_over_its_reference():
    lines = chart([4.0, 3.0, 2.0, 1.0], reference=[4.0, 3.5, 3.0, 2.5], last_step=400, rows=4).splitlines()
    assert lines[0].strip().startswith("4.000")
    assert lines[3].rstrip().endswith("●")
    assert "·" in "".join(lines)
    assert lines[-1].endswith("400")


def test_a_flat_curve_is_drawn_without_dividing_by_zero():
    assert "●●●" in chart([1.0, 1.0, 1.0], last_step=3)


def test_what_draws_nothing_does_not_load_matplotlib():
    code = (
        "import sys, asi_arch.report.terminal, asi_arch.report.payload, asi_arch.report.page;"
        " sys.exit(int(bool({'matplotlib', 'torch', 'jinja2'} & set(sys.modules))))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_fitness_is_explained_with_the_numbers(store_of):
    store = store_of(make_experiment(1, recall=(0.1, 0.1)))
    views = [
        terminal.best_view(payload.best_payload(store)),
        terminal.experiment_view(payload.experiment_payload(store, 1)),
    ]
    for view in views:
        assert "vetoed: its multi-query recall of 0.100 is below 0.250, linear_attention's less the noise" in shown(
            view, 120
        )
    assert re.search(r"#1 mixer_1 .* vetoed", shown(terminal.tree_view(payload.tree_payload(store))))


def test_an_audited_experiment_says_so(store_of):
    stop = StoppedEarly(stage=StageName.LANGUAGE, step=100, loss_nats=2.0, baseline_loss_nats=1.8, margin=0.05)
    experiment = make_experiment(1)
    runs = tuple(run.model_copy(update={"would_stop": stop}) for run in experiment.runs)
    store = store_of(experiment.model_copy(update={"runs": runs}))
    views = [shown(terminal.experiment_view(payload.experiment_payload(store, i))) for i in (0, 1)]
    assert ["let through as an audit" in view for view in views] == [False, True]


def test_a_check_that_failed_on_trained_weights_is_shown_with_stage_and_seed(store_of):
    rejected = Rejected(check="future", reason="the past changed", stage=StageName.LANGUAGE)
    experiment = make_experiment(1, outcome=rejected)
    finding = Finding(check="future", severity=Severity.ERROR, message="the past changed")
    runs = tuple(run.model_copy(update={"findings": (finding,)}) for run in experiment.runs)
    store = store_of(experiment.model_copy(update={"runs": runs}))
    text = shown(terminal.experiment_view(payload.experiment_payload(store, 1)), 120)
    assert "Rejected with the weights of the language stage by the check 'future'" in text
    assert "future (trained weights, language seed 1): the past changed" in text


def test_the_whole_curve_fits_into_80_columns(campaign):
    text = shown(terminal.experiment_view(payload.experiment_payload(campaign, 0)), 80)
    assert re.search(r"step 1 +500 ", text)
    assert re.search(r"step 1 +800 ", text)


def test_names_are_readable_in_the_comparison_at_80_columns(verified):
    text = shown(terminal.best_view(payload.best_payload(verified)), 80)
    assert all(row["name"] in text for row in payload.best_payload(verified)["baselines"])


def test_the_status_tells_what_the_early_stop_did(campaign):
    text = shown(terminal.status_view(payload.status_payload(campaign), 1_800_000_500.0), 200)
    assert re.search(r"early stop +\d+ early stops? saved \d+% of the training time; none let through yet", text)


def test_what_was_verified_is_told_with_its_promotion(with_verdict):
    store = with_verdict((-0.05, 0.01))
    last = store.verdicts()[-1]
    statement = "language loss better than delta_net by 0.050 ± 0.020 nats (95%), q = 0.02, 6 fresh seeds; recall a tie"
    update = {"statement": statement, "reason": "recall accuracy worse than delta_net"}
    store.save_verdict(last.model_copy(update=update))
    first = statement.partition("; ")[0]
    assert f"{first}; not promoted: recall accuracy worse" in shown(
        terminal.best_view(payload.best_payload(store)), 200
    )
    assert "recall a tie; not promoted: recall accuracy worse" in shown(
        terminal.experiment_view(payload.experiment_payload(store, last.index)), 250
    )


def test_evidence_that_is_valid_at_any_time_is_told_wherever_a_verdict_is(verified):
    index = verified.verdicts()[0].index
    pages = (
        terminal.status_view(payload.status_payload(verified), 1_800_200_000.0),
        terminal.best_view(payload.best_payload(verified)),
        terminal.experiment_view(payload.experiment_payload(verified, index)),
    )
    for page in pages:
        assert "e = 6.2, anytime p = 0.16 (valid whenever one looks)" in " ".join(shown(page, 200).split())
