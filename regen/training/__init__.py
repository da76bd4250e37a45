"""What every training needs: checkpoints, several processes, a Ctrl-C that waits."""
