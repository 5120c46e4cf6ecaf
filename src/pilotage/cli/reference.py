"""Writes `docs/reference` and `docs/learn`: `python -m pilotage.cli.reference DOCS`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from pilotage.cli.tree import tree
from pilotage.learn.pages import learn_pages
from pilotage.learn.practice.shelf import PROJECTS
from pilotage.spec.gate_reference import gates_page
from pilotage.spec.guard_reference import guards_page
from pilotage.spec.reference import NOTE, limits_page, serve_page


def pages() -> dict[str, str]:
    """Every page by its file name."""
    return {
        "serve.md": serve_page(),
        "limits.md": limits_page(),
        "gates.md": gates_page(),
        "guards.md": guards_page(),
        "commands.md": commands_page(),
    }


def commands_page() -> str:
    """Every command with its arguments and options; those of `serve` have a page of their own."""
    parts = [NOTE, "# Commands"]
    for path, command in commands(typer.main.get_command(tree()), "pilotage"):
        parts.append(f"## `{path}`\n{_paragraphs(command.help or '')}")
        if path == "pilotage serve":
            parts.append("Its settings are on [a page of their own](serve.md).")
        elif rows := [_row(parameter) for parameter in command.params]:
            parts.append("\n".join(["| | meaning |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """A command and all below it, each with what is typed to call it."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        if not below.hidden:
            yield from commands(below, f"{path} {name}")


def _row(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    if parameter.param_type_name == "argument":
        names = f"`{(parameter.metavar or parameter.name).upper()}`"
    return f"| {names} | {(parameter.help or '').replace('|', chr(92) + '|')} |"


def _paragraphs(text: str) -> str:
    """Help as Markdown: a part that Typer is told not to wrap becomes a block of code."""
    kept: list[str] = []
    for part in text.strip().split("\n\n"):
        lines = part.strip("\n").splitlines()
        if lines and lines[0].strip() == "\b":
            kept.append("```\n" + "\n".join(lines[1:]) + "\n```")
        else:
            kept.append("\n".join(lines))
    return "\n\n".join(kept)


def main() -> None:
    """Writes the pages below the folder of documents that is named."""
    docs = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    for folder, written in (("reference", pages()), ("learn", learn_pages(PROJECTS))):
        (docs / folder).mkdir(exist_ok=True)
        for name, text in written.items():
            (docs / folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
