"""The whole map: all themes, and every skill by its name. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pilotage.learn.map_account import ACCOUNT
from pilotage.learn.map_decide import DECIDE
from pilotage.learn.map_lead import LEAD
from pilotage.learn.map_roll_out import ROLL_OUT
from pilotage.learn.map_scale import DEVICES, SCALE
from pilotage.learn.map_secure import SECURE
from pilotage.learn.map_serve import SERVE
from pilotage.learn.map_watch import WATCH
from pilotage.learn.skills import Skill, Theme

THEMES: Final[tuple[Theme, ...]] = (
    *(DECIDE, SERVE, ROLL_OUT, WATCH, ACCOUNT, SECURE, SCALE, DEVICES, LEAD),
)
SKILLS: Final[Mapping[str, Skill]] = MappingProxyType(
    {skill.name: skill for theme in THEMES for skill in theme.skills}
)
