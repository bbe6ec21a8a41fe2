"""HTTP: three dialects in front of the queue. No image work happens here."""
