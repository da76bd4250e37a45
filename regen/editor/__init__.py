"""The editor: `regen edit`, one page in a browser on what `regen.api` offers.

messages   what the page may say, checked; everything else is refused in one line
strokes    what was painted, as values, and the regions that strokes make
painting   exemplars and targets with strokes
stored     paintings read back from the session's file, checked
as_edits   the edits file that a painting is, and what it lacks
opening    an edits file as a painting, the way back
document   a painting and the stack of rules; every change makes a new one, so undo is a list
commands   what a message of the page does to a document
worker     the one thread that computes; stale work is dropped
sampling   what samples have beside a seed: a hole, a style, an image of one's own
encoding   images as a page takes them
engine     one opened generator, and all that is computed with it:
  exemplars    images that hold a pattern
  tasks        what a painting is for the generator: its edits file, what it lacks
  previews     what a rule would do, before anything is learned
  rules        learned, kept and measured
  views        samples as pages see them, with rules and without
  suggestions  regions that the generator proposes
session    a document being edited by any number of pages; its parts are:
  channels     what pages see
  asking       questions to the worker, and the way back
  choosing     the grid of samples, and which of them a page may name
  shown        the document's state and images; only what has changed is computed
  learning     one fit at a time, which is watched and can be stopped
  errands      what is fetched once: suggestions, files
kept       the session's folder, which finds the session again
export     the files that are handed out
security   what a request must have: token, host, origin, size, pace
server     the page, its socket, uploads and downloads
run        the command: from its options to the server, and to its end
"""
