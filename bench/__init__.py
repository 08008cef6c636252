"""What this project claims in numbers, measured: `make bench` runs every module here that has `figures()`."""
