"""Worlds of known truth, and how well the verdict's promise is kept in them: `make worlds`."""
