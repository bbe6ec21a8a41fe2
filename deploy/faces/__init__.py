"""Many faces at once: the work behind `fidox calibrate` and `fidox faces`, apart from the command line."""
