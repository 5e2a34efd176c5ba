"""Putting a line into service: find what hangs on it, recognise it, look at it, set it, record it.

Everything speaks through a `Line`: the port itself, or turns that the running agent lends between its polls.
"""
