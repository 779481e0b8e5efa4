"""The `kensoku` command: one module a subcommand."""
