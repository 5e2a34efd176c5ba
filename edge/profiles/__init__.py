"""What a device model means: profiles as data, their rules, and the decoding of registers by them."""
