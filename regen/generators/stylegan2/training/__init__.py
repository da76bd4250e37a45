"""Training a StyleGAN2 on a folder of images, as published, with augmentation for few of them."""
