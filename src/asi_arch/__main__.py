"""`python -m asi_arch` is the command `asi-arch`."""

from asi_arch.cli.main import main

main()
