"""What gateway and workers both speak: contracts, settings, the queue, the database, weights and telemetry."""
