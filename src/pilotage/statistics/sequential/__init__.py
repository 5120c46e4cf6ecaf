"""Blocks of observations go in, as long as one likes; verdicts that hold at every look come out.

Each procedure has a frozen configuration and a state that can be saved. NumPy alone; never imports
`fixed`, whose intervals hold for one look only.
"""
