"""Running the product: the command line, the one-machine runner, and (as files) containers and dashboards."""
