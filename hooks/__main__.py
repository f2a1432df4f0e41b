"""`python -m hooks` is `relapse-cds`."""

from hooks.cli import main

main()
