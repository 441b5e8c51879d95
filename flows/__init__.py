"""Prefect flows and the command line: where plain functions are wired into runs."""
