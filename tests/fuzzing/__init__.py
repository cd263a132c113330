"""Damaged datasets: a sound one of each format, mutants of it, and a process that reads them.

``python -m benchmarks.fuzz_readers`` reads thousands; `tests/data/test_fuzz.py` some dozens.
"""
