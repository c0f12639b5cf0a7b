import emotag.kernel_cache  # noqa: F401  (before any kernel is imported)
