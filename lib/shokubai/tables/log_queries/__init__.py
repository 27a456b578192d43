"""Queries on a run's own copy, where they differ from those on the tables that it was taken from."""
