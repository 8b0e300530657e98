"""Files in the folders of runs, each program's in a module of its own, which declares `FILES`."""
