"""What keeps candidate code in: tiers of containment, from the best that this machine can do.

`tier` chooses, `bubblewrap` and `confinement` build the walls, `attempts` tries to climb them. The walls are the
kernel's; nothing in here may trust what a candidate says. Free of torch.
"""
