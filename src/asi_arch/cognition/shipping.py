"""Write the vectors that ship with the papers: `python -m asi_arch.cognition.shipping`, or `make vectors`."""

import sys
import tempfile
from pathlib import Path

from asi_arch.cognition.corpus import PACKAGED, load_corpus
from asi_arch.cognition.embedding import MiniLm
from asi_arch.cognition.vectors import SHIPPED, VectorCache, keys_of, read_vectors, texts_of, write_vectors


def main() -> None:
    """Encode what has changed and keep what has not; vectors of entries that are gone go as well."""
    texts, encoder = texts_of(load_corpus(Path("/nonexistent"), PACKAGED).papers), MiniLm()
    known = read_vectors(SHIPPED)
    with tempfile.TemporaryDirectory() as scratch:
        VectorCache(Path(scratch), _tell).vectors(texts, encoder)
        for path in Path(scratch).iterdir():
            known |= read_vectors(path)
    write_vectors(SHIPPED, {key: known[key] for key in keys_of(texts, encoder)})


def _tell(done: int, total: int) -> None:
    sys.stderr.write(f"\r{done} of {total} clauses encoded" + "\n" * (done == total))


if __name__ == "__main__":
    main()
