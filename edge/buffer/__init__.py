"""Durable store-and-forward: contract.py says what holds, sqlite.py holds it, memory.py is its twin for tests."""
