"""What `Detections` are made of: the objects, and a file for each thing they can do."""
