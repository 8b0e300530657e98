"""A Ray cluster of several nodes on this machine, as a program: prints its address, ends with its stdin.

    python local_cluster.py '[{"num_cpus": 1}, {"num_cpus": 1, "num_gpus": 1}]'

A line `kill N` on stdin takes node N away without a farewell, as a power cut would.
"""

import json
import sys
import time
import traceback
from typing import Any

from ray.cluster_utils import Cluster


def start(options: list[dict[str, int]], attempts: int = 4) -> tuple[Cluster, list[Any]]:
    """The cluster and its nodes. On busy cores a node may not come up: Ray gives its own agents 15 s, so try again."""
    for attempt in range(attempts):
        cluster = Cluster()
        try:
            nodes = [cluster.add_node(object_store_memory=80 * 2**20, **one) for one in options]
            cluster.wait_for_nodes()
        except Exception:
            traceback.print_exc()
            cluster.shutdown()
            time.sleep(5.0 * (attempt + 1))
        else:
            return cluster, nodes
    sys.exit("the cluster did not start")


def main() -> None:
    cluster, nodes = start(json.loads(sys.argv[1]))
    print(cluster.address, flush=True)
    for line in sys.stdin:
        cluster.remove_node(nodes[int(line.split()[1])], allow_graceful=False)
        print("killed", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
