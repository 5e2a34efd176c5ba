"""EPCIS 2.0: events in and out without loss, their identity, what makes one wrong, and what a query finds."""
