"""StyleGAN2 (Karras et al. 2020): seeds to images; it can be cropped, trained and exported."""
