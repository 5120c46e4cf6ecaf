"""`python -m pilotage` is the command `pilotage`."""

from pilotage.cli.app import main

if __name__ == "__main__":
    raise SystemExit(main())
