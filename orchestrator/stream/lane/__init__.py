"""The batch lane: whole partition batches in, what to write, send and commit out."""
