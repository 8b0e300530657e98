"""From blocks to HTML, PDF, LaTeX, text, and CSV."""
