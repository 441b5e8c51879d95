"""Speed and memory at scale, as ratios in one run (`make scale`)."""
