"""Bad and odd inputs, each with the exit code and the words that are right for it.

`python -m tests.corpus FOLDER` writes them to disk, a folder each, for a look by hand.
"""
