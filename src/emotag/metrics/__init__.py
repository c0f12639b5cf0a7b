"""Measures of a talking head against the real one, each with its definition, unit and direction."""
