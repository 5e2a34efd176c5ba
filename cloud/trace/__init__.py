"""What identifies things outside this house: GS1 keys, the EPCs in tags, Digital Link."""
