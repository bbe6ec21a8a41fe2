"""What `fidox doctor` looks at, one module a part: machine, database, Redis and what the workers say there, storage."""
