"""Inference workers: everything that touches a pixel, a vector or a model. No HTTP here."""
