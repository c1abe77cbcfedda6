"""Runs the command line as `python -m mmrec`."""

from mmrec.cli import main

main()
