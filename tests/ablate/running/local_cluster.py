"""A Ray cluster of several nodes on this machine, as a program: prints its address, ends with its
stdin.

    python local_cluster.py '[{"num_cpus": 1}, {"num_cpus": 1, "num_gpus": 1}]'

A line `kill PID` on stdin takes away the node that started this process, without a farewell, as a
power cut would.
"""

import json
import sys

import psutil
from ray.cluster_utils import Cluster


def main() -> None:
    cluster = Cluster()
    nodes = [
        cluster.add_node(object_store_memory=80 * 2**20, **options)
        for options in json.loads(sys.argv[1])
    ]
    cluster.wait_for_nodes()
    print(cluster.address, flush=True)
    for line in sys.stdin:
        ancestors = {parent.pid for parent in psutil.Process(int(line.split()[1])).parents()}
        lost = next(
            node for node in nodes if node.all_processes["raylet"][0].process.pid in ancestors
        )
        cluster.remove_node(lost, allow_graceful=False)
        print("killed", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
