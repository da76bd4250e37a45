"""The backward projector B: any image to the features of a generator (section 4.1 of the paper).

Its modules:

    config, network, files          the network
    guide                           what it sees beside an image
    project, refine, whole          its use: on composites, and on images as they are
    settings, losses                the training: what it minimises,
    sampling, tiles, composites     the images that are made for it, with foreign patterns,
    windows                         or parts of images,
    trainer, train                  and its steps, from the first or a checkpoint to the last
"""
