"""Networks: how a model file becomes something to call, and what happens when it breaks.

network    what a domain sees: one array in, arrays out
sessions   opens a file on the runtime of this machine
gpu        whether there is one, and whether CUDA starts on it
batching   several threads' calls in one pass, where that pays
circuit    parts that may break: engines, detectors, checks, readers
isolated   an object in a process of its own
explained  why a part is off, and what turns it on
"""
