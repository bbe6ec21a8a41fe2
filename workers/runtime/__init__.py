"""What every kind of worker is made of: the job loop, leases, ONNX sessions, and the processes of one machine."""
