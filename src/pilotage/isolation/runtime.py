"""ONNX Runtime, imported so that it tells nobody and starts no thread.

Since 1.29 its official Linux builds send usage data (model names among them) to their maker unless
`ORT_DISABLE_TELEMETRY` is set before the import; measured on 1.32: with the variable there is no
background thread either, which is what makes it safe to fork afterwards. OpenBLAS would start a
thread a core for the same price.

Everything of ours gets the module from here, and nothing else imports it.
"""

import os
from importlib import import_module
from typing import Any


def onnxruntime() -> Any:
    """The module `onnxruntime`."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    return import_module("onnxruntime")
