"""What of the rows of a shipped query is the evidence of one finding; ``evidence`` stands for those rows."""
