"""`python -m emotag.render.prebuild`: build the C++ kernels beside their source, for a wheel to carry."""

import sys

from emotag.errors import AssetMissing
from emotag.render import compiler


def main() -> int:
    """Build and print the path; 2 where there is no working compiler."""
    try:
        compiler.build(compiler.find_compiler(), compiler.shipped_path())
    except AssetMissing as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(compiler.shipped_path())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
