"""The product under load, in real processes. Sizes fit CI; `make load` takes the full ones."""
