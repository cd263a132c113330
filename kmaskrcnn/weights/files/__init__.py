"""Weights files of anybody, read without their frameworks: nothing in a file is ever executed."""
