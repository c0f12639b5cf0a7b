"""Configuration files: YAML or JSON, each key once, merged as Snakemake merges them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from emotag.complaints import check_keys
from emotag.errors import ConfigError


class UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping; keys that `<<` brings may be given again."""
        seen = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(
                        None, None, f"found {key.value!r} twice, expected it once", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_files(paths: list[Path]) -> dict[str, Any]:
    """Merge YAML or JSON files in their order.

    Raises:
        ConfigError: a file is missing, is not YAML, has no keys or has one twice.
    """
    tree: dict[str, Any] = {}
    for path in paths:
        try:
            content = yaml.load(path.read_text(encoding="utf-8"), UniqueKeyLoader)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}: not YAML ({' '.join(str(error).split())}); correct the line") from error
        except RecursionError as error:
            raise ConfigError(f"{path}: nested too deeply; expected sections with keys and values") from error
        if not isinstance(content, dict):
            raise ConfigError(f"{path}: found {type(content).__name__}, expected keys and values")
        try:
            check_keys(content)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error
        tree = merge(tree, content)
    return tree


def merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Snakemake's own merge: mappings are merged, everything else (lists too) is replaced. Returns a new tree."""
    merged = dict(base)
    for key, value in over.items():
        if isinstance(value, Mapping):
            below = merged.get(key, {})
            # An empty mapping changes nothing, not even what is no mapping.
            merged[key] = merge(below if isinstance(below, dict) else {}, value) if value else below
        else:
            merged[key] = value
    return merged
