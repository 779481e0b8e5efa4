"""Data sets: collected from what a description names, split so that nothing leaks, and written as shards."""
