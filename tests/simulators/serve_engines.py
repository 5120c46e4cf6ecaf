"""`pilotage serve` with engines of a test beside the real ones.

    python tests/simulators/serve_engines.py MODULE serve model.onnx ...

MODULE lies in this folder and has `LOADERS` (engines by name) and `adjust(snapshot) -> snapshot`,
which adds what is served with them.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from pilotage.cli import app, composition
from pilotage.contracts.snapshot import Snapshot
from pilotage.serving.engines import loading

sys.path.insert(0, str(Path(__file__).parent.parent))
_compose = composition.compose


def main() -> int:
    module = import_module(f"simulators.{sys.argv[1]}")
    loading.LOADERS.update(module.LOADERS)

    def compose(*arguments: Any, **named: Any) -> Snapshot:
        return module.adjust(_compose(*arguments, **named))

    composition.compose = compose
    sys.argv = [sys.argv[0], *sys.argv[2:]]
    return app.main()


if __name__ == "__main__":
    sys.exit(main())
