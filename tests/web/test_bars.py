import re

import pytest

from asi_arch.web.bars import Part, Stack, stacked, whole
from asi_arch.web.charts import Axes, Point, Series, chart

PARTS = [Part("check", "e"), Part("<train>", "a")]


def test_parts_lie_on_each_other_and_begin_at_zero() -> None:
    axes = Axes("Time", "experiment", "seconds")
    drawn = stacked(axes, PARTS, [Stack(0, 9, [1.0, 3.0], ["1 s", "3 s"]), Stack(10, 19, [2.0, 0.0], ["2 s", ""])])
    boxes = [tuple(map(float, box)) for box in re.findall(r'y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', drawn)]
    (low, small), (high, large) = boxes[:2]
    assert high + large == pytest.approx(low)
    assert abs(large - 3 * small) < 0.6
    assert low + small == pytest.approx(sum(boxes[2]))
    assert "&lt;train&gt;" in drawn and "<train>" not in drawn


def test_without_bars_there_is_a_sentence() -> None:
    assert "nothing to show yet" in stacked(Axes("Time", "experiment", "seconds"), PARTS, [])


def test_a_whole_is_filled_and_told_in_words() -> None:
    drawn = whole(PARTS, [0.25, 0.75])
    assert 'width="25.00"' in drawn and 'x="25.00"' in drawn and 'width="75.00"' in drawn
    assert "check 25.0%" in drawn


def test_a_line_has_dots_where_its_points_have_words() -> None:
    line = Series("mean", [Point(0, 1.0, "first <b>"), Point(1, 2.0)], "a", low=[0.5, 1.5], high=[1.5, 2.5])
    drawn = chart(Axes("T", "x", "y", is_small=True), [line])
    assert drawn.count("<circle") == 1
    assert "first &lt;b&gt;" in drawn
    assert 'viewBox="0 0 420 240"' in drawn and "band" in drawn
