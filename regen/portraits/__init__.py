"""The embedded toy domain: portraits whose every attribute is a known function of the latent."""

from regen.portraits.oracle import PortraitsOracle, seed_to_z
from regen.portraits.patterns import PATTERNS, REGIONS, pattern_region, region
from regen.portraits.renderer import render
from regen.portraits.traits import Z_DIM, Attributes, attributes

__all__ = [
    "PATTERNS",
    "PortraitsOracle",
    "REGIONS",
    "Z_DIM",
    "Attributes",
    "attributes",
    "pattern_region",
    "region",
    "render",
    "seed_to_z",
]
