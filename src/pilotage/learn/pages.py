"""`docs/learn`, from the map: an index by role and by theme, and one page a skill. Pure."""

from collections.abc import Mapping
from typing import Final

from pilotage.learn.projects import Project
from pilotage.learn.roles import ROLES
from pilotage.learn.skills import NotYet, Practice, Skill, Theme
from pilotage.learn.themes import SKILLS, THEMES
from pilotage.learn.tree import ordered

NOTE: Final = (
    "<!-- Written by `python -m pilotage.cli.reference`; change the map in `learn`, not this. -->"
)
INDEX: Final = "README.md"


def learn_pages(projects: Mapping[str, Project]) -> dict[str, str]:
    """Every page by its file name."""
    return {INDEX: _index(projects)} | {
        f"{skill.name}.md": _page(theme, skill, projects)
        for theme in THEMES
        for skill in theme.skills
    }


def _index(projects: Mapping[str, Project]) -> str:
    parts = [
        NOTE,
        "# Learn",
        "Skills of the trade, in the field's words, and projects to practise them on the real "
        "product: offline, without an account, judged by what your work does. "
        "`pilotage learn` shows the same as a tree, with what you have done.",
        "## Projects",
        "\n".join(_project_line(project) for project in projects.values()),
        "## By role",
    ]
    for role in ROLES:
        mine = [skill for skill in ordered(SKILLS.values()) if role.key in skill.roles]
        lines = [f"**{role.title}** {role.does}: `pilotage learn --role {role.key}`"]
        parts.append(f"{lines[0]}\n\n" + ", ".join(_link(skill) for skill in mine))
    parts.append("## By question")
    for theme in THEMES:
        rows = "\n".join(f"| {_link(skill)} | {_proof(skill)} |" for skill in theme.skills)
        parts.append(f"### {theme.question}\n| skill | proven by |\n|---|---|\n{rows}")
    return "\n\n".join(parts) + "\n"


def _project_line(project: Project) -> str:
    proves = ", ".join(
        _link(skill) for skill in SKILLS.values() if skill.proven_by == Practice(project.name)
    )
    return (
        f"- **{project.title}** (about {project.minutes} minutes): "
        f"`pilotage learn start {project.name}`. Proves {proves}."
    )


def _page(theme: Theme, skill: Skill, projects: Mapping[str, Project]) -> str:
    before = [SKILLS[name] for name in skill.builds_on]
    after = [other for other in SKILLS.values() if skill.name in other.builds_on]
    titles = [role.title for role in ROLES if role.key in skill.roles]
    rows = [
        ("question", theme.question),
        ("for", ", ".join(titles)),
        ("builds on", ", ".join(map(_link, before)) or "nothing"),
        ("leads to", ", ".join(map(_link, after)) or "nothing yet"),
        ("proven by", _proof(skill)),
        ("command", f"`{skill.command}`" if skill.command else "none yet"),
    ]
    parts = [
        NOTE,
        f"# {skill.title}",
        skill.why,
        "\n".join(["| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows)]),
    ]
    if isinstance(skill.proven_by, Practice):
        project = projects[skill.proven_by.project]
        begin = f"pilotage learn start {project.name}\npilotage learn check {project.name}"
        title = f"**{project.title}** (about {project.minutes} minutes)"
        parts.append(f"## Practise\n{title}\n\n```\n{begin}\n```")
    if skill.read:
        links = "\n".join(f"- [{_shown(target)}](../{target})" for target in skill.read)
        parts.append(f"## Read\n{links}")
    parts.append("[All skills](README.md)")
    return "\n\n".join(parts) + "\n"


def _proof(skill: Skill) -> str:
    proof = skill.proven_by
    if isinstance(proof, Practice):
        return f"the project `{proof.project}`"
    if isinstance(proof, NotYet):
        return f"not yet: Pilotage lacks {proof.missing}"
    return "no project yet; documents and a command are there"


def _link(skill: Skill) -> str:
    return f"[{skill.title}]({skill.name}.md)"


def _shown(target: str) -> str:
    """ "how-to/operate.md#watch-it" as people read it: "how-to/operate: watch it"."""
    page, _, anchor = target.partition("#")
    shown = page.removesuffix(".md")
    return f"{shown}: {anchor.replace('-', ' ')}" if anchor else shown
