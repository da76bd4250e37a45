"""`regen train-generator`: train a generator on a folder of images."""
