"""What manifests, compose file and Dockerfiles say of the code, held against the code.

A rule takes what is deployed and yields one line for each thing that is not so. The facts come from the code itself
(settings, keys, contracts, the timings of a stop, the command line), so a name that is changed on one side is a line.

    common.py       settings and commands, whoever names them
    pods.py         what a manifest's containers are given
    code.py         manifests against the code
    cluster.py      manifests against themselves and against what a cluster enforces
    compose.py      the compose file
    dockerfile.py   the Dockerfiles
"""
