"""What people write (flags, variables, a YAML file) goes in; frozen settings come out.

Every error of a reading is told at once, with its place, what was expected and what to do.
It starts nothing, opens no model, and never shows a secret.
"""
