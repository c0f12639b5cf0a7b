"""Parametric head models behind one protocol."""
