"""MQTT in, one transaction for several gateways, acknowledged after the commit."""
