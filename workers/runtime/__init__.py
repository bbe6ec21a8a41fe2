"""What every kind of worker runs on: the job loop, leases, threads, heartbeats, and the processes of one machine."""
