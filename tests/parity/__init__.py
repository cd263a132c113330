"""Our networks against the reference implementations' own answers, stage by stage.

    python -m tests.parity FOLDER…      cases, each a folder with state.json and expected.npz
    python -m tests.parity --all ROOT   every case below a folder

`case.py` reads a case, `settings.py` finds our preset for it, `run.py` builds and runs the network;
`stages.py`, `found.py` and `training.py` compare, with the limits of `limits.py`;
`report.py` prints.
"""
