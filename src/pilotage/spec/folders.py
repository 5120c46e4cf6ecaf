"""Where the platform keeps a person's data. Pure: the environment is an argument.

Source: the XDG Base Directory Specification for Linux, Apple's File System Programming Guide for
macOS. Written here because looking it up by a library costs 30 ms of every start.
"""

from collections.abc import Mapping


def data_folder(environment: Mapping[str, str], platform: str) -> str:
    """The data folder of Pilotage; `platform` is `sys.platform`.

    Without a home (a bare container) it is a folder in the current one.
    """
    home = environment.get("HOME", "")
    chosen = environment.get("XDG_DATA_HOME", "")
    if chosen.startswith("/"):
        return f"{chosen}/pilotage"
    if not home.startswith("/"):
        return "pilotage-data"
    if platform == "darwin":
        return f"{home}/Library/Application Support/pilotage"
    return f"{home}/.local/share/pilotage"
