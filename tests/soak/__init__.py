"""`make chaos`: a stack of its own under load while its parts are killed, stopped, restarted and filled up.

stand      two gateways, two face workers and a liveness worker on a PostgreSQL and a Redis of their own
calls      what is asked, in all three dialects, and whether an answer is one that its document knows
load       so many calls a second, whether they are answered or not
chaos      the schedule of what breaks, by a seed
checks     what must be so at the end
__main__   the order of all that, and the report
"""
