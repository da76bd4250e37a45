"""The backward projector: network, losses, training, files, and projecting."""
