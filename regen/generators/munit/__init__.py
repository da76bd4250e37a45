"""MUNIT (Huang et al. 2018, and its improved version): translates images, in any style."""
