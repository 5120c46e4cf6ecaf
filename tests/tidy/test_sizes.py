"""A file has one reason and a function fits a screen."""

import ast

from tidy.tree import ROOT, SOURCE, name_of, python_files, tree_of

FILE_LINES = 400
TEST_FILE_LINES = 600
FUNCTION_LINES = 70


def test_no_file_is_longer_than_one_reason_takes():
    limits = {
        path: FILE_LINES if path.is_relative_to(SOURCE) else TEST_FILE_LINES
        for path in python_files()
    }
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in limits}
    too_long = [f"{name_of(p)}: {lengths[p]} lines" for p in limits if lengths[p] > limits[p]]
    assert not too_long


def test_no_function_is_longer_than_a_screen():
    functions = [
        (path, node)
        for path in python_files(SOURCE, ROOT / "tests", ROOT / "benchmarks", ROOT / "examples")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert functions
    too_long = [
        f"{name_of(path)}:{node.lineno} {node.name}: {lines} lines"
        for path, node in functions
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]
    assert not too_long
