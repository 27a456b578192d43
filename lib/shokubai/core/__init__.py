"""What every stage speaks: errors, windows, calendars, sketches, frame contracts. Imports nothing of ours."""
