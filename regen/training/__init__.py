"""What every training needs: steps, checkpoints, several processes, a Ctrl-C that waits."""
