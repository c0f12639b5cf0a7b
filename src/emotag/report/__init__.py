"""Tables and summaries of measured rows."""
