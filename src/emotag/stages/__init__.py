"""One module a rule: reads typed files, calls the layers below, writes typed files."""
