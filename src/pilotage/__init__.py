"""Pilotage takes any model from pilot to production.

Models go in; services that are checked, recorded and accountable come out.
This file loads nothing: `import pilotage` costs no more than an empty module.
"""

__version__ = "0.1.0"
