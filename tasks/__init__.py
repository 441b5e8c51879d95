"""The shell: modules that read, sample, render and publish.

Pure statistics are in `tasks.stats`, pure page building in `tasks.view`; `flows` binds the
functions of these modules as Prefect tasks.
"""
