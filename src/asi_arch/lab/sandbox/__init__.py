"""What keeps candidate code in: tiers of containment, from the best that this machine can do.

`tier` chooses, `bubblewrap`, `container` with its `room`s and `confinement` build the walls, `cgroup` sets limits,
`attempts` tries to climb. The walls are the kernel's; nothing in here may trust what a candidate says. Free of torch.
"""
