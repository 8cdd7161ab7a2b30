"""Pages: TIFF and PDF become pictures, and text, pictures and documents become pages. Nothing here knows Django."""
