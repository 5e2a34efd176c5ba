"""What every room stands on, and nothing of the domain: settings files and the MQTT connection."""

__version__ = "0.1.0"
