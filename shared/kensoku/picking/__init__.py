"""From the probabilities of a model along a record to picks, the same in batches and live."""
