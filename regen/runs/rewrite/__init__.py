"""`regen rewrite`: learn an edits file's rule, measure it, and write the report."""
