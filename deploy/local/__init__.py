"""The one-machine runner behind `make run`: servers, workers and the gateway as children of one process."""
