"""`python -m asi_arch` is the command `asi-arch`."""

from asi_arch.cli.main import main

if __name__ == "__main__":  # processes that draw figures load this module, too
    main()
