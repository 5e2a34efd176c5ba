"""The demo: show.py directs, stage.py keeps the processes, broker.py finds mosquitto, past.py makes the thirty days."""
