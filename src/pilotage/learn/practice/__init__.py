"""The projects: each file is one, with its questions; its texts and starting points lie in `texts`.

They say what holds by what commands said and wrote, and never by how it was done.
"""
