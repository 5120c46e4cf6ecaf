"""The reference names every command, option, setting and limit that there is."""

import re

import typer.main
from msgspec.structs import fields

from pilotage.cli.app import app
from pilotage.contracts.limits import MIB, Limits
from pilotage.serving.protocols import outcomes
from pilotage.spec.table import SETTINGS
from tidy.tree import DOCS


def _reference() -> str:
    pages = sorted((DOCS / "reference").rglob("*.md"))
    assert pages
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def _named(word: str, text: str) -> bool:
    """Whether the word stands there by itself, not as the beginning of another."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def _commands(command, path: str):
    """The command and all below it, each with what is typed to call it."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        if not below.hidden:
            yield from _commands(below, f"{path} {name}")


def _all_commands():
    return list(_commands(typer.main.get_command(app), "pilotage"))


def test_every_command_is_in_the_reference():
    text = _reference()
    commands = [path for path, _ in _all_commands()]
    assert "pilotage serve" in commands
    assert not [path for path in commands if not _named(path, text)]


def test_every_option_is_in_the_reference():
    text = _reference()
    options = {
        f"{path} {option}"
        for path, command in _all_commands()
        for parameter in command.params
        if not getattr(parameter, "hidden", False)
        for option in parameter.opts
        if option.startswith("--")
    }
    assert options
    assert not [option for option in options if not _named(option.split()[-1], text)]


def test_every_command_and_option_explains_itself():
    silent = [path for path, command in _all_commands() if not command.help]
    silent += [
        f"{path} {parameter.opts}"
        for path, command in _all_commands()
        for parameter in command.params
        if not getattr(parameter, "help", "")
    ]
    assert not silent


def test_every_setting_is_in_the_reference_with_flag_variable_and_key():
    text = _reference()
    missing = [
        word
        for setting in SETTINGS
        for word in (setting.flag, setting.variable, setting.in_file)
        if word and not _named(word, text)
    ]
    assert not missing


def test_every_limit_is_in_the_reference():
    text = _reference()
    assert not [field.name for field in fields(Limits) if not _named(field.name, text)]


def test_the_page_of_outcomes_names_every_member_and_every_limit():
    text = (DOCS / "reference" / "outcomes.md").read_text(encoding="utf-8")
    assert not [member for member in outcomes.MEMBERS if f"`{member}`" not in text]
    limits = [
        f"up to {outcomes.OUTCOMES_MOST:,}",
        f"{outcomes.OUTCOMES_BYTES // MIB} MiB",
        f"1 to {outcomes.KIND_CHARACTERS} characters",
        f"text of up to {outcomes.VALUE_BYTES} bytes",
        f"up to {outcomes.ATTRIBUTES_MOST} texts",
        f"1 to {outcomes.ROW_DIGITS} digits",
        f"up to {Limits().client_id_bytes:,} bytes",
    ]
    assert not [limit for limit in limits if limit not in text]
