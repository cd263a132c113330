"""Ours, its peers and the bare arithmetic, run by turns on the same inputs.

A contestant is a Python and a worker module below `workers/`; each case of each is a process of its
own, so that peaks of memory are apart, and only one of them works at a time. `inputs.py` makes what
all compute on, `worker.py` is the worker's side of a pipe and `runner.py` the other one, `table.py`
says what came out.
"""
