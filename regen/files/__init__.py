"""Files that are written whole or not at all, and tensors in files that say what they are."""
