"""One module or folder a command: it reads files, calls the library, and fills a run folder."""
