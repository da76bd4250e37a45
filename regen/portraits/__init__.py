"""The embedded toy domain: portraits whose every attribute is a known function of the latent."""

from regen.portraits.cat_styles import STYLE_DIM, CatStyle, cat_style
from regen.portraits.cats import render_cat
from regen.portraits.oracle import PortraitsOracle, seed_to_z
from regen.portraits.patterns import PATTERNS, REGIONS, pattern_region, region
from regen.portraits.renderer import render
from regen.portraits.traits import Z_DIM, Attributes, attributes

__all__ = [
    "PATTERNS",
    "PortraitsOracle",
    "REGIONS",
    "STYLE_DIM",
    "Z_DIM",
    "Attributes",
    "CatStyle",
    "attributes",
    "cat_style",
    "pattern_region",
    "region",
    "render",
    "render_cat",
    "seed_to_z",
]
