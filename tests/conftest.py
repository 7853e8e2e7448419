"""One thread per process, as everywhere in the project: OpenMP's threads spin against each other on a busy machine."""

import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
