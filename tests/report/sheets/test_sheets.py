import csv
import io

import pytest

from asi_arch.domain.outcome import RunKey
from asi_arch.domain.profile import Split, StageName
from asi_arch.domain.verdict import Interval
from asi_arch.report.digest import digest
from asi_arch.report.sheets.collection import files, sheets
from asi_arch.report.sheets.comparison import comparison_sheet
from asi_arch.report.sheets.latex import escaped, latex_text
from asi_arch.report.sheets.sheet import Column, Row, Sheet, csv_text, harmless, shown
from asi_arch.report.tables import comparison_table
from asi_arch.report.words import Reading
from asi_arch.testing.records import make_proposal, make_run, make_score
from asi_arch.testing.synthetic import add_verdict, synthetic_store

COLUMNS = (Column("=name"), Column("loss"), Column("gain", is_signed=True), Column("share", is_share=True))
SHEET = Sheet(
    name="table",
    title="A & B",
    columns=COLUMNS,
    rows=(
        Row(("=HYPERLINK(1)", Reading(1.5, 0.25), Reading(-0.5), Interval(estimate=0.5, low=0.25, high=0.75))),
        Row(("x_y", Reading(2.0), None, None), group=1),
    ),
    note="100% of it",
)


def rows_of(text):
    return list(csv.reader(io.StringIO(text)))


def built(store):
    return {sheet.name: sheet for sheet in sheets(digest(store), comparison_table(store), store)}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-x", "@SUM(A1)", "\tx", "\rx"])
def test_a_text_is_never_a_formula(text):
    assert harmless(text) == f"'{text}"


def test_numbers_stay_numbers_and_intervals_take_three_columns():
    header, first, second = rows_of(csv_text(SHEET))
    assert header == ["'=name", "loss", "loss low", "loss high", "gain", "share", "share low", "share high"]
    assert first == ["'=HYPERLINK(1)", "1.5", "1.25", "1.75", "-0.5", "0.5", "0.25", "0.75"]
    assert second == ["x_y", "2", "", "", "", "", "", ""]


def test_people_see_rounded_numbers():
    cells = [shown(cell, column) for cell, column in zip(SHEET.rows[0].cells, COLUMNS, strict=True)]
    assert cells == ["=HYPERLINK(1)", "1.500 ± 0.250", "\u22120.500", "50.0% [25.0, 75.0]"]
    assert shown(1454, Column("number", is_name=True)) == "1454"
    assert shown(1454, Column("count")) == "1,454"
    assert shown(float("nan"), Column("loss")) == "\u2013"


def test_latex_is_escaped_and_has_the_rules_of_booktabs():
    text = latex_text(SHEET)
    for part in (r"\caption{A \& B. 100\% of it}", r"\toprule", r"\bottomrule", r"x\_y & 2.000 & -- & -- \\"):
        assert part in text
    assert text.count(r"\midrule") == 2, "below the head and between the groups"
    assert r"=HYPERLINK(1) & 1.500 $\pm$ 0.250 & $-$0.500 & 50.0\% [25.0, 75.0] \\" in text


def test_no_text_of_others_becomes_a_command():
    assert escaped("\\input{/etc/passwd} $x$ #1") == r"\textbackslash{}input\{/etc/passwd\} \$x\$ \#1"
    assert escaped("~^ a_b <c>") == r"\textasciitilde{}\textasciicircum{} a\_b \textless{}c\textgreater{}"


def test_signs_that_fonts_lack_are_written_with_the_plainest_ones_like_them():
    assert (
        escaped("\u03b1-\u0394Net \u017eu\u0127 \u2026 \u6f22 \U0001f600 S\u00b3")
        == r"$\alpha$-$\Delta$Net žu? ... ? ? S³"
    )


def test_a_wide_table_is_continued_below_and_a_tall_one_in_another():
    columns = (
        Column("design"),
        *(Column(f"loss minus that of baseline {i}", is_signed=True) for i in range(12)),
        Column("x"),
    )

    def wide(rows: int) -> str:
        cells = (*(Reading(0.1 * i, 0.02) for i in range(12)), "")
        return latex_text(Sheet("wide", "W", columns, tuple(Row((f"n{k}", *cells)) for k in range(rows)), "N"))

    for rows, floats, labels in ((4, 1, [r"\label{tab:wide}"]), (40, 3, [r"\label{tab:wide}", r"\label{tab:wide-2}"])):
        text = wide(rows)
        assert (text.count(r"\begin{table}"), text.count(r"\begin{tabular}")) == (floats, 3)
        assert all(label in text for label in labels)
        assert text.count(f"n{rows - 1} & ") == 3, "the first column is repeated"
        assert text.count(r"\shortstack[r]{loss minus \\ that of \\ baseline 7}") == 1
        assert " & x" not in text, "nothing is written in it"
    assert r"\caption{W, part 2 of 3. N}" in wide(40)


def test_a_cell_that_begins_with_a_bracket_is_no_option_of_the_line_before():
    sheet = SHEET._replace(columns=(Column("a"),), rows=(Row(("[1]",)),))
    assert "{[1]} " in latex_text(sheet)


def test_every_experiment_has_its_row(campaign):
    header, *rows = rows_of(csv_text(built(campaign)["experiments"]))
    summaries = campaign.summaries()
    assert [int(row[0]) for row in rows] == [summary.index for summary in summaries]
    place = header.index("language loss, nats")
    assert [row[place] for row in rows] == [
        "" if s.language_loss is None else f"{s.language_loss:.9g}" for s in summaries
    ]


def test_the_gallery_differs_from_every_baseline(campaign):
    sheet = built(campaign)["table-2-gallery"]
    names = {column.name for column in sheet.columns}
    assert {f"loss minus {name}'s" for name in campaign.campaign().profile.search.baselines} <= names
    assert [row.group for row in sheet.rows] == sorted(row.group for row in sheet.rows)


def test_the_final_comparison_takes_every_task_from_the_fresh_runs():
    store = synthetic_store(20)
    best = store.pool(1, 100)[0]
    verdict = add_verdict(store, best.index)
    shas = {"candidate": best.sha, "delta_net": make_proposal("delta_net").sha}
    for sha in shas.values():
        for seed in verdict.comparisons[0].seeds:
            for stage in StageName:
                score = make_score(1.6 + seed / 1e6, 0.7 + seed / 1e6)
                run = make_run(make_proposal("x"), stage, seed, loss=1.6, accuracy=0.7)
                key = RunKey(sha=sha, protocol=verdict.protocol, stage=stage, seed=seed, split=Split.FRESH)
                store.save_run(run.model_copy(update={"key": key, "score": score}))
    sheet = comparison_sheet(digest(store), store)
    names = [column.name for column in sheet.columns]
    assert "noisy recall" in names
    first, last = sheet.rows
    assert (first.cells[1], last.cells[1]) == ("not promoted", "baseline")
    assert first.cells[names.index("noisy recall")].estimate == pytest.approx(0.7010015)
    assert first.cells[names.index("language loss, nats")].margin > 0
    assert first.cells[names.index("language loss minus delta_net's")].estimate == -0.041
    assert last.cells[names.index("language loss minus delta_net's")] is None


def test_without_fresh_runs_the_verdicts_means_are_shown(verified):
    sheet = built(verified)["table-1-comparison"]
    assert [row.cells[0] for row in sheet.rows][-1] == "delta_net"
    assert sheet.rows[0].cells[3] == Reading(1.62)


def test_tables_without_rows_say_why_and_are_not_written(campaign):
    found = built(campaign)
    assert found["table-1-comparison"].missing == "nothing was verified yet; 'asi-arch verify best' does it"
    assert set(files(list(found.values()), ("csv", "tex"))) == {
        "table-2-gallery.csv",
        "table-2-gallery.tex",
        "experiments.csv",
    }


def test_young_campaigns_have_tables(young):
    assert len(built(young)) == 4


def test_imported_tables_hold_what_was_published(imported):
    found = built(imported)
    header, *rows = rows_of(csv_text(found["experiments"]))
    assert len(rows) == 61
    assert "lambada perplexity" in header
    first = found["table-1-comparison"]
    assert {row.cells[0] for row in first.rows} == {"design_40", "design_52"}
    assert found["table-2-gallery"].rows[-1].cells[:2] == ("design_1", 1)
    assert found["table-3-origins"].missing == "not in the imported data"
