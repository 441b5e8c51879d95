"""The functional core: numbers in, findings out. No orchestrator, no Stan engine, no disk."""
