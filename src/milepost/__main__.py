"""`python -m milepost`: the `gsd` command, for a process that starts itself."""

from milepost.ui.cli.main import gsd

if __name__ == "__main__":
    gsd()
