"""What every stage speaks: errors, instants and windows, calendars, sketches, frame contracts. Imports nothing of ours."""
