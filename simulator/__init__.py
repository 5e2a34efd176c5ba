"""A plant in a box: rooms, instruments, crates and faults that speak real bytes, with a ledger of all it ever said."""
