"""The edits file: which pattern goes where."""
