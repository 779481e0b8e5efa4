"""What the models are made of: data sets, augmentation, networks, their training, export and proof."""
