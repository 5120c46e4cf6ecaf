"""What `pilotage learn` shows: the map as a tree, a project's beginning, what a check found.

It fits 80 columns. Every mark is a word too, colour never carries meaning alone, and a terminal
whose encoding has no other signs gets plain ones. What cannot be drawn is not decided here.
"""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import IO, Any, Final

from rich.console import Console
from rich.text import Text

from pilotage.learn.projects import (
    CannotSee,
    DoesNotHold,
    Finding,
    Holds,
    Looked,
    Project,
)
from pilotage.learn.roles import ROLES
from pilotage.learn.skills import NotYet, Practice, Skill
from pilotage.learn.themes import SKILLS, THEMES
from pilotage.learn.tree import Standing, branches_of, next_of, standing_of
from pilotage.spec.words import printable

COLUMNS: Final = 80
TITLE_COLUMNS: Final = 45
MARKS: Final[Mapping[Standing, str]] = {
    "done": "✓",
    "open": "○",
    "later": "·",
    "read": "≡",
    "not yet": "–",
}
STYLES: Final[Mapping[str, str]] = {"done": "green", "next": "bold cyan", "open": "cyan"}
NEXT_MARK: Final = "▶"
PLAIN_SIGNS: Final = str.maketrans("✓✗○·≡–▶…└─“”−’", '+xo.=->~`-""-\'')


def console_of(stream: IO[str], *, terminal_columns: int | None = None) -> Console:
    """A console that wraps at 80 columns at most, and heeds NO_COLOR by itself."""
    console = Console(file=stream, highlight=False)
    wide = terminal_columns or (console.width if console.is_terminal else COLUMNS)
    console.width = min(COLUMNS, wide)
    return console


def show_map(
    console: Console, role: str | None, solved: frozenset[str], projects: Mapping[str, Project]
) -> None:
    """The tree of skills of a role, or of everybody."""
    mine = [skill for skill in SKILLS.values() if role is None or role in skill.roles]
    standings = [standing_of(skill, SKILLS, solved) for skill in mine]
    following = next_of(SKILLS, solved, role)
    whose = "everybody" if role is None else next(r.title for r in ROLES if r.key == role)
    practised = len([one for one in mine if isinstance(one.proven_by, Practice)])
    print_text(console, f"Skills for {whose}", "bold")
    print_text(
        console,
        f"{len(mine)} skills: {practised} with practice, {standings.count('done')} of them done; "
        f"{standings.count('read')} to read about; {standings.count('not yet')} not yet.",
    )
    for theme in THEMES:
        branches = branches_of(theme, role)
        if branches:
            print_text(console, "")
            print_text(console, theme.question, "bold")
            for depth, skill in branches:
                _show_skill(console, skill, depth, solved, following)
    print_text(console, "")
    _show_legend(console, role)
    print_text(console, "")
    for line in next_lines(following, projects, role):
        print_text(console, line)


def _show_skill(
    console: Console, skill: Skill, depth: int, solved: frozenset[str], following: Skill | None
) -> None:
    standing = standing_of(skill, SKILLS, solved)
    is_next = following is not None and skill.name == following.name
    mark = NEXT_MARK if is_next else MARKS[standing]
    word = "next" if is_next else standing
    guide = "   " * (depth - 1) + "└─ " if depth else ""
    title = f"{guide}{skill.title}"
    line = f"{mark} {word:<7} {title:<{TITLE_COLUMNS}} {_proof(skill)}"
    shown = line if len(line) <= console.width else line[: console.width - 1] + "…"
    style = STYLES.get(word, "" if standing in ("read", "later") else "dim")
    print_text(console, shown.rstrip(), style)


def _proof(skill: Skill) -> str:
    """What stands on the right: the project, the command, or nothing."""
    if isinstance(skill.proven_by, Practice):
        return skill.proven_by.project
    missing = isinstance(skill.proven_by, NotYet)
    return "" if missing else skill.command.removeprefix("pilotage ")


def _show_legend(console: Console, role: str | None) -> None:
    words = [
        "✓ done: its project is solved. ▶ next, ○ open: begin the project on the right. "
        "· later: another project comes first. ≡ read: documents and, on the right, the command; "
        "no project yet. – not yet: Pilotage cannot do it."
    ]
    if role is None:
        roles = ", ".join(each.key for each in ROLES)
        words.append(f"Only yours: pilotage learn --role ROLE, one of {roles}.")
    for paragraph in words:
        for line in wrap(paragraph, console.width, break_on_hyphens=False):
            print_text(console, line, "dim")


def next_lines(
    following: Skill | None, projects: Mapping[str, Project], role: str | None
) -> list[str]:
    """What to type next."""
    if following is not None and isinstance(following.proven_by, Practice):
        project = projects[following.proven_by.project]
        return [
            f"Next: {project.title} (about {project.minutes} minutes)",
            f"  pilotage learn start {project.name}",
        ]
    if role is not None and not any(
        isinstance(skill.proven_by, Practice) and role in skill.roles for skill in SKILLS.values()
    ):
        return ["There is no practice for this role yet; every “read” has a page: docs/learn."]
    return ["Every project is solved. What to read: docs/learn."]


def show_start(console: Console, project: Project, folder: str, missing: str) -> None:
    """What was laid down, and what to type first."""
    print_text(console, f"{project.title} (about {project.minutes} minutes)", "bold")
    print_text(console, f"{len(project.files)} files in {folder}; the task is in TASK.md.")
    if missing:
        print_text(console, "")
        print_text(console, missing)
    print_text(console, "")
    print_text(console, "Begin:")
    for line in (f"cd {folder}", "cat TASK.md", *project.first):
        print_command(console, line)
    print_text(console, "")
    print_text(console, f"Then see how far you are:  pilotage learn check {project.name}")


def show_found(
    console: Console, project: Project, found: Sequence[Looked], *, solved: bool, hint: str
) -> None:
    """Each question with its answer, then the hint or what to type."""
    for each in found:
        finding = each.finding
        mark, word, style = _answered(finding)
        print_text(console, f"{mark} {word:<8} {each.check.question}", style)
        if finding is None:
            continue
        for line in _answer(finding):
            _print_indented(console, line)
    print_text(console, "")
    if solved:
        print_text(console, f"✓ SOLVED: {project.title}", "bold green")
        print_text(console, "What it has shown, and what is next:  pilotage learn")
        return
    held = sum(isinstance(each.finding, Holds) for each in found)
    print_text(console, f"{held} of {len(found)} hold.")
    if hint:
        print_text(console, hint)
    else:
        print_text(console, f"A hint:  pilotage learn check {project.name} --hint")


def _answered(finding: Finding | None) -> tuple[str, str, str]:
    """Mark, word and style of an answer."""
    match finding:
        case Holds():
            return "✓", "holds", "green"
        case DoesNotHold():
            return "✗", "not yet", "bold red"
        case CannotSee():
            return "?", "not seen", "yellow"
        case None:
            return "·", "later", "dim"


def _answer(finding: Finding) -> list[str]:
    lines = [finding.said]
    if isinstance(finding, DoesNotHold):
        lines.append(finding.look)
        lines += [f"{word}: {title}" for title, word in finding.numbers.items()]
    if isinstance(finding, CannotSee):
        lines.append(finding.start)
    return lines


def _print_indented(console: Console, line: str) -> None:
    text = Text(_safe(console, line))
    for row in text.wrap(console, console.width - 11):
        console.print(Text(" " * 11) + row, soft_wrap=True)


def print_command(console: Console, line: str) -> None:
    """Never broken: it is copied."""
    console.print(Text(f"  {_safe(console, line)}"), soft_wrap=True)


def print_text(console: Console, line: str, style: str = "") -> None:
    console.print(Text(_safe(console, line), style=style))


def _safe(console: Console, line: str) -> str:
    """Harmless to a terminal, and in signs that its encoding has."""
    line = printable(line.replace("\u00a0", " ").replace("\u202f", " "))
    encoding: Any = getattr(console.file, "encoding", None) or "utf-8"
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        line = line.translate(PLAIN_SIGNS)
    return line
