"""Simulation-based calibration of the Stan programs that answer what was found: `make sbc`."""
