"""How fast predicting and training are on this machine, and how large a batch fits into it.

Every measurement runs in a process of its own, so that none of them can take down this one.
"""
