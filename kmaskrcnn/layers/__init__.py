"""The parts of the network: one public Keras layer a file, scalars in."""
