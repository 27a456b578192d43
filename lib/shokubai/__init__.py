"""Reliability reports from request logs."""
