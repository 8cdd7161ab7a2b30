"""The customers’ site, and the place where everything is put together."""
