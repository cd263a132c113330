"""Where the time of a prediction or a training step goes, by TensorFlow's profiler.

`record.py` runs one case under the profiler, `trace.py` reads what that wrote, `naming.py` says of
an operation which part of the network and which kind of work it is, `sharing.py` shares the time
out among them, `table.py` and `pictures.py` show it.
"""
