"""What stands under ``parameters/``, as frozen objects; every problem at once, with file and line."""
