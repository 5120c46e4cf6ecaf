"""A name says the reason; one word has one meaning (the vocabulary is in CONTRIBUTING.md)."""

import ast
import re

from tidy.tree import SOURCE, kept, name_of, python_files, tree_of

NAMELESS = re.compile(r"^_?(utils?|helpers?|common|managers?|base|misc)(_.*)?$")
SLIPS = {
    "champion": "baseline",
    "challenger": "candidate",
    "guardrail": "filter",
    "ground_truth": "outcome",
    "feedback": "outcome",
    "manager": "the noun that it holds",
    "helper": "what it does",
    "utils": "what it does",
}
"""Words of other houses, and ours."""


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _declared(tree: ast.Module) -> list[tuple[int, str]]:
    """Names that a file gives: classes, functions, parameters and variables."""
    names: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.append((node.lineno, node.name))
        elif isinstance(node, ast.arg):
            names.append((node.lineno, node.arg))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append((node.lineno, node.id))
    return names


def test_no_file_or_folder_is_named_for_no_reason():
    nameless = [
        name_of(path)
        for path in kept()
        if path.suffix == ".py"
        and any(
            NAMELESS.match(part) for part in (*path.parts[-3:-1], path.stem) if part != path.anchor
        )
    ]
    assert not nameless


def test_no_name_uses_another_word_for_a_thing_that_has_one():
    slips = [
        f"{name_of(path)}:{line} {name}: say {ours}"
        for path in python_files(SOURCE)
        for line, name in _declared(tree_of(path))
        for theirs, ours in SLIPS.items()
        if re.search(rf"(^|_){theirs}s?(_|$)", _snake(name))
    ]
    assert not slips
