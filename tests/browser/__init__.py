"""Reports as readers meet them. A package, so that the browser is closed after the last test of this folder: while
Playwright runs, no test in its thread can start an event loop."""
