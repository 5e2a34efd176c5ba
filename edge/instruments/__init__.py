"""Instruments that have a port to themselves: scales and tag readers, from frames to weighings and sightings."""
