"""The embedded toy domain: portraits whose every attribute is a known function of the latent."""

from regen.portraits.oracle import Oracle, seed_to_z
from regen.portraits.patterns import PATTERNS, REGIONS, pattern_region, region
from regen.portraits.renderer import render
from regen.portraits.traits import Z_DIM, Attributes, attributes

__all__ = [
    "PATTERNS",
    "REGIONS",
    "Z_DIM",
    "Attributes",
    "Oracle",
    "attributes",
    "pattern_region",
    "region",
    "render",
    "seed_to_z",
]
