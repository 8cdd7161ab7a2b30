"""Everything at /desk/calls/, and the door of telephone systems."""
