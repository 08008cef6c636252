"""What the core needs from outside, one file per port; each has its adapter and its fake under the same file name."""
