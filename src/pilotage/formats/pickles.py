"""What a pickle would import and call, found by walking it with nothing importable.

The walk is an unpickler whose every name is an inert stand-in, so no code of the file runs. The
list is a signal, not a proof: a harmless name may lead to harm. That is why a pickle is opened
only with the user's word, and then in a host.
"""

import _compat_pickle
import bz2
import gzip
import io
import lzma
import math
import pickle
import pickletools
import re
import zlib
from pathlib import Path
from typing import IO, Any, ClassVar, Final, cast

from msgspec import Struct

from pilotage.errors import PilotageError
from pilotage.formats.findings import Finding
from pilotage.isolation.forked import call_in_fork

SCANNED_BYTES: Final = 1024**3
"""Bytes of one pickle, decompressed, that are scanned; a longer one is refused."""

SCAN_S: Final = 60.0
"""Seconds a scan may take."""

SHOWN_NAMES: Final = 20
"""Names listed in one finding; the rest is counted."""

_DANGEROUS_MODULES: Final = frozenset(
    {
        "os",
        "posix",
        "nt",
        "subprocess",
        "sys",
        "shutil",
        "socket",
        "pty",
        "commands",
        "ctypes",
        "importlib",
        "runpy",
        "code",
        "codeop",
        "pickle",
        "_pickle",
        "marshal",
        "webbrowser",
        "multiprocessing",
        "asyncio",
        "threading",
        "signal",
        "builtins",
        "__builtin__",
        "http",
        "urllib",
        "ftplib",
        "smtplib",
        "tempfile",
        "pathlib",
        "io",
        "types",
        "pdb",
        "bdb",
        "timeit",
        "inspect",
        "cloudpickle",
        "dill",
        "pip",
        "setuptools",
        "operator",
        "functools",
    }
)
_HARMLESS: Final = frozenset(
    f"{module}.{name}"
    for module in ("builtins", "__builtin__")
    for name in [
        "bytearray",
        "bytes",
        "complex",
        "dict",
        "float",
        "frozenset",
        "int",
        "list",
        "object",
        "range",
        "set",
        "slice",
        "str",
        "tuple",
        "bool",
    ]
) | {"functools.partial", "types.SimpleNamespace"}
_EXPECTED_MODULES: Final = frozenset(
    {
        "sklearn",
        "numpy",
        "scipy",
        "joblib",
        "xgboost",
        "lightgbm",
        "collections",
        "copy_reg",
        "copyreg",
        "_codecs",
    }
)


class Imports(Struct, frozen=True):
    """The dotted names that a pickle imports, sorted; `problem` says why the walk stopped early."""

    names: tuple[str, ...]
    problem: str = ""


def first_bytes(path: Path, count: int) -> bytes:
    """The first bytes of what is in the file, decompressed where it is compressed."""
    with path.open("rb") as raw:
        head = raw.read(count)
        raw.seek(0)
        try:
            return _decompressed(raw, head).read(count)
        except (OSError, EOFError, zlib.error, lzma.LZMAError):
            return head


def starts_as_pickle(head: bytes) -> bool:
    """Whether the bytes can be the start of a pickle of any protocol."""
    if head[:1] == b"\x80" and len(head) > 2:
        return 2 <= head[1] <= 5
    if head.startswith(b"\x04\x22\x4d\x18"):
        return True  # an lz4 frame, which joblib alone would write here
    if head[:1] not in (b"c", b"(", b"]", b"}"):
        return False
    seen: list[str] = []
    try:
        seen.extend(opcode.name for opcode, _, _ in pickletools.genops(head))
    except Exception:  # cut in the middle of an opcode, or no opcode at all
        return re.match(rb"c[\w.]+\n[\w.]+\n", head) is not None
    return seen[-1:] == ["STOP"]


def scan(path: Path) -> tuple[Finding, ...]:
    """The findings on the pickle at `path`, the dangerous first; made in a copy of this process."""
    imports = call_in_fork(
        lambda: _imports(path), Imports, what=f"scanning {path.name}", timeout_s=SCAN_S
    )
    dangerous = [name for name in imports.names if is_dangerous(name)]
    foreign = [name for name in imports.names if not is_dangerous(name) and not _expected(name)]
    rest = [name for name in imports.names if name not in dangerous and name not in foreign]
    findings: list[Finding] = []
    if dangerous:
        findings.append(Finding("danger", f"the pickle calls {_listed(dangerous)}"))
    if foreign:
        findings.append(Finding("warning", f"the pickle imports foreign code: {_listed(foreign)}"))
    if imports.problem:
        findings.append(Finding("warning", f"the scan is not whole: {imports.problem}"))
    if rest:
        findings.append(Finding("note", f"the pickle imports {_listed(rest)}"))
    return tuple(findings)


def is_dangerous(name: str) -> bool:
    """Whether a dotted name gives its caller more than data."""
    return name not in _HARMLESS and name.split(".")[0] in _DANGEROUS_MODULES


def _expected(name: str) -> bool:
    return name in _HARMLESS or name.split(".")[0] in _EXPECTED_MODULES


def _listed(names: list[str]) -> str:
    rest = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def _imports(path: Path) -> Imports:
    names: set[str] = set()
    try:
        with path.open("rb") as raw:
            head = raw.read(64)
            raw.seek(0)
            stream = _decompressed(raw, head)
            if stream is not raw:
                data = stream.read(SCANNED_BYTES + 1)
                if len(data) > SCANNED_BYTES:
                    raise PilotageError(f"it holds more than {SCANNED_BYTES} bytes")
                stream = io.BytesIO(data)
            _Walker(stream, names).load()
    except Exception as error:  # whatever a damaged or hostile stream makes the walk stumble over
        return Imports(tuple(sorted(names)), f"{type(error).__name__}: {error}"[:500])
    return Imports(tuple(sorted(names)))


class _Inert:
    """Stands for whatever a pickle imports or makes; remembers what it was given."""

    given: tuple[Any, ...] = ()
    state: Any = None

    def __new__(cls, *arguments: Any, **_: Any) -> Any:
        made = object.__new__(cls)
        made.given = arguments
        return made

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __call__(self, *arguments: Any) -> Any:
        return _Inert(*arguments)

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, _: Any) -> None:
        """Takes what APPEND gives."""

    def extend(self, _: Any) -> None:
        """Takes what APPENDS gives."""

    def add(self, _: Any) -> None:
        """Takes what ADDITEMS gives."""


_PythonUnpickler: Any = pickle._Unpickler  # pyright: ignore[reportPrivateUsage,reportAttributeAccessIssue,reportUnknownMemberType,reportUnknownVariableType]


class _Walker(_PythonUnpickler):
    """Walks a pickle, and steps over the arrays that joblib writes raw between its opcodes."""

    dispatch: ClassVar[dict[int, Any]] = dict(_PythonUnpickler.dispatch)

    def __init__(self, stream: IO[bytes], names: set[str]) -> None:
        _PythonUnpickler.__init__(self, stream)
        self.stream = stream
        self.names = names

    def find_class(self, module: str, name: str) -> Any:
        if self.proto < 3:  # the older protocols write the names of Python 2
            module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
            module = _compat_pickle.IMPORT_MAPPING.get(module, module)
        self.names.add(f"{module}.{name}")
        return type(name.rsplit(".", 1)[-1], (_Inert,), {"dotted": f"{module}.{name}"})

    def persistent_load(self, pid: Any) -> Any:
        return _Inert(pid)

    def get_extension(self, code: int) -> None:
        self.names.add(f"copyreg.extension_{code}")
        self.append(_Inert(code))

    def build(self) -> None:
        """BUILD as ever; behind an array's wrapper come the array's bytes."""
        _PythonUnpickler.load_build(self)
        made = self.stack[-1]
        if getattr(made, "dotted", "") == "joblib.numpy_pickle.NumpyArrayWrapper":
            self._step_over(made.state)

    dispatch[pickle.BUILD[0]] = build

    def _step_over(self, wrapper: dict[str, Any]) -> None:
        dtype = wrapper["dtype"]
        code = str(dtype.given[0])
        if code.startswith("O"):
            _Walker(self.stream, self.names).load()
            return
        if wrapper.get("numpy_array_alignment_bytes"):
            self.stream.read(self.stream.read(1)[0])
        state: tuple[Any, ...] = dtype.state or ()
        described: int = state[5] if len(state) > 5 else -1
        each = described if described > 0 else int(code[1:])
        self.stream.seek(each * math.prod(wrapper["shape"]), io.SEEK_CUR)


def _decompressed(raw: IO[bytes], head: bytes) -> IO[bytes]:
    """The stream inside, by its first bytes; `raw` itself where it is not compressed."""
    if head.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if head.startswith(b"BZh"):
        return cast("IO[bytes]", bz2.BZ2File(raw))
    if head.startswith((b"\xfd7zXZ\x00", b"]\x00\x00")):
        return cast("IO[bytes]", lzma.LZMAFile(raw))
    if head.startswith((b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")):
        return cast("IO[bytes]", _Zlib(raw))
    return raw


class _Zlib:
    """Reads a bare zlib stream, which the standard library opens for no file."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._inflater = zlib.decompressobj()

    def read(self, count: int) -> bytes:
        """At most `count` bytes, fewer only at the end."""
        parts: list[bytes] = []
        while count > 0 and not self._inflater.eof:
            fed = self._inflater.unconsumed_tail or self._raw.read(1 << 16)
            if not fed:
                break
            parts.append(self._inflater.decompress(fed, count))
            count -= len(parts[-1])
        return b"".join(parts)
