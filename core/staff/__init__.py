"""The staff shell: base views of every screen at `/desk/`, and its look."""
