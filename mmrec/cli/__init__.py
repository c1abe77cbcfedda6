"""The command line, `mmrec COMMAND`; `main` is its entry point."""

from mmrec.cli.app import main as main
