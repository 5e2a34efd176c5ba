"""Labels of lots: a QR code that opens the lot's public page, a GS1-128 bar code for scanners, and words for people."""
