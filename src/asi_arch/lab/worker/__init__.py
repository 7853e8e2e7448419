"""Trains a candidate in a child on batches that the controller sends. Sees no held-out token."""
