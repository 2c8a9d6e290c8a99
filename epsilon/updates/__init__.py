"""Updates from a stick: a signed bundle is checked, unpacked, written to the slot that does not run, and tried next.

bundle.py reads and unpacks bundles by RAUC, fit.py says whether one is for this toy, installing.py writes it,
sticks.py finds it. Nothing here touches the system that runs.
"""
