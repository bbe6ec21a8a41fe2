"""`fidox`, the operators' command line: one module a group of commands."""
