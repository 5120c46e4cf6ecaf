"""Every project by its name, in the order in which they are best done."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pilotage.learn.practice import better, catching, unfair
from pilotage.learn.projects import Project

PROJECTS: Final[Mapping[str, Project]] = MappingProxyType(
    {project.name: project for project in (unfair.PROJECT, better.PROJECT, catching.PROJECT)}
)
