"""Measurements of speed: `python -m emotag.bench`."""
