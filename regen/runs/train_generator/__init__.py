"""`regen train-generator`: a folder of images becomes a generator."""
