from pathlib import Path

from asi_arch.cli.board import Board, closing_text
from asi_arch.domain.candidate import Author
from asi_arch.engine.notices import Recorded, Rescored
from asi_arch.testing.records import make_experiment, make_proposal


def test_the_fittest_is_named_by_the_fitness_that_counts_in_the_end() -> None:
    board = Board()
    board.take(Recorded(make_experiment(0, make_proposal("base", author=Author.BASELINE)), None, 1))
    board.take(Recorded(make_experiment(1, make_proposal("early", parent=0)), None, 2))
    board.take(Recorded(make_experiment(3, make_proposal("late", parent=0)), 0.5, 3))
    assert "#3 late (0.500)" in closing_text(board, Path("state"))
    board.take(Rescored({0: 0.4, 1: 0.75}))
    assert "#1 early (0.750)" in closing_text(board, Path("state"))
    board.take(Rescored({1: None, 3: 0.5}))
    assert board.best is not None and board.best[1].index == 3
