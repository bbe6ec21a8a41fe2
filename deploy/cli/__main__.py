"""`python -m deploy.cli` is `fidox`."""

from deploy.cli.app import main

main()
