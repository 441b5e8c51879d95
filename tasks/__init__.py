"""The shell: modules that read, sample, render and publish.

Pure statistics are in `tasks.stats`, pure page building in `tasks.view`; `flows` binds the
functions of these modules as Prefect tasks.
"""

import os

# Matrices here are small and many: BLAS threads that wait for each other cost a fifth of a run's time, and far more on
# a busy machine. It has to stand before numpy is first imported; whoever has set it is left alone.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
