"""A report goes in; one self-contained HTML file with pictures for people comes out.

It shows what the report says and adds nothing: it never judges, and asks nothing of a network.
"""
