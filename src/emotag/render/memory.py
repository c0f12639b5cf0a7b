"""Keeping freed memory in the process.

Every step allocates the same tens of megabytes anew. glibc hands large pieces back to the system as soon as they are freed
and takes them again as fresh pages, which the system clears one by one: at 512 x 512 that can cost more than L1 and SSIM.
"""

import ctypes
import logging
from functools import cache

log = logging.getLogger(__name__)
# Of glibc's mallopt(3).
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
# Freed memory at the heap's end that is kept, and the largest piece taken from the heap (glibc's own bound).
KEPT_BYTES = 512 * 2**20
HEAP_PIECE_BYTES = 32 * 2**20


@cache
def keep_freed() -> bool:
    """Ask the C library, once a process, to keep up to `KEPT_BYTES` of what is freed; False where it cannot."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    done = mallopt(MMAP_THRESHOLD, HEAP_PIECE_BYTES) and mallopt(TRIM_THRESHOLD, KEPT_BYTES)
    log.debug("freed memory is %s", "kept" if done else "given back")
    return bool(done)
