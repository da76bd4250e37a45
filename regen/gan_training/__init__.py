"""Training a StyleGAN2 on a folder of pictures, as published, with augmentation for few of them."""
