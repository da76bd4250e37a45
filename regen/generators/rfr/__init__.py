"""RFR-Inpainting (Li et al. 2020): fills holes in images."""
