"""StyleGAN2 in files of other tools: NVIDIA's of torch and of TensorFlow, and rosinality's."""
