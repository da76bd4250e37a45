"""Generators: the protocol that every family keeps, the families, and the bundled ones."""
