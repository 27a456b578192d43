"""The shipped queries, in GoogleSQL; readers and the store load them by name."""
