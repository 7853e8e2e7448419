"""Names of flash-linear-attention with their interfaces, built from our own mixers: any device, any precision."""
