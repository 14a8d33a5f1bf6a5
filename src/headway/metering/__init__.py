"""What one answer measured: clock readings, tokens and money. Pure: no clock, no I/O, no log."""
