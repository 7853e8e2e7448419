"""Loads trained weights strictly in another fresh child and returns hidden states. Sees no target."""
