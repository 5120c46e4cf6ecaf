"""The map of skills tells the truth: what it names exists, and its pages are those of the map."""

import re
import shlex

import pytest
import typer.main

from pilotage.cli.app import app
from pilotage.learn.pages import learn_pages
from pilotage.learn.practice.shelf import PROJECTS
from pilotage.learn.roles import EVERYBODY, ROLES
from pilotage.learn.skills import NotYet, Practice, Reading
from pilotage.learn.themes import SKILLS, THEMES
from pilotage.learn.tree import ordered
from tidy.tree import DOCS

TITLE_CHARACTERS = 45
"""What a line of the tree has room for, guides included."""


def anchors_of(page) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", head.lower()) for head in heads]
    return {head.replace(" ", "-") for head in plain}


def test_every_skill_has_a_name_of_its_own_and_a_title_that_fits():
    named = [skill.name for theme in THEMES for skill in theme.skills]
    assert len(named) == len(set(named))
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in named)
    assert not [s.title for s in SKILLS.values() if len(s.title) + 3 > TITLE_CHARACTERS]
    assert all(skill.why.endswith(".") for skill in SKILLS.values())


def test_skills_build_on_skills_that_exist_and_never_on_themselves():
    assert {skill.name for skill in ordered(SKILLS.values())} == set(SKILLS)


def test_every_role_has_skills_and_every_skill_roles_that_exist():
    needed = {role for skill in SKILLS.values() for role in skill.roles}
    assert needed == set(EVERYBODY)
    assert len(ROLES) == 10
    assert all(skill.roles for skill in SKILLS.values())


@pytest.mark.parametrize("name", SKILLS)
def test_every_document_that_a_skill_names_exists(name):
    for target in SKILLS[name].read:
        file, _, anchor = target.partition("#")
        page = DOCS / file
        assert page.is_file(), target
        assert not anchor or anchor in anchors_of(page), target


@pytest.mark.parametrize("name", SKILLS)
def test_every_command_that_a_skill_names_exists_with_its_options(name):
    if not SKILLS[name].command:
        assert isinstance(SKILLS[name].proven_by, NotYet)
        return
    first, *words = shlex.split(SKILLS[name].command)
    assert first == "pilotage"
    command = typer.main.get_command(app)
    while words and not words[0].startswith("-"):
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands"), "it names a group and no command"
    options = {option for parameter in command.params for option in parameter.opts}
    assert set(words) <= options


def test_what_is_proven_by_reading_names_something_to_read():
    kinds = (Reading, Practice)
    assert all(skill.read for skill in SKILLS.values() if isinstance(skill.proven_by, kinds))


def test_what_is_not_there_yet_names_what_is_missing_and_no_command():
    for skill in SKILLS.values():
        if isinstance(skill.proven_by, NotYet):
            assert skill.proven_by.missing
            assert not skill.command


def test_every_project_proves_a_skill_and_every_practice_is_a_project():
    practised = {s.proven_by.project for s in SKILLS.values() if isinstance(s.proven_by, Practice)}
    assert practised == set(PROJECTS)


def test_every_check_of_a_project_has_two_hints_and_needs_earlier_ones():
    for project in PROJECTS.values():
        before: set[str] = set()
        for check in project.checks:
            assert check.hint
            assert check.stronger
            assert check.hint != check.stronger
            assert set(check.needs) <= before
            before.add(check.name)


def test_every_task_tells_what_to_type_and_how_to_be_done():
    for project in PROJECTS.values():
        assert project.files["TASK.md"]().decode() == project.task
        assert f"pilotage learn check {project.name}" in project.task
        assert f"{project.minutes} minutes" in project.task
        assert all(line in project.task for line in project.first)
        named = [name for name in project.files if name not in project.task]
        assert named in ([], ["TASK.md"])


def test_the_pages_are_those_of_the_map():
    pages = learn_pages(PROJECTS)
    folder = DOCS / "learn"
    assert sorted(path.name for path in folder.iterdir()) == sorted(pages)
    stale = [n for n, text in pages.items() if (folder / n).read_text(encoding="utf-8") != text]
    assert not stale, "python -m pilotage.cli.reference"
