"""Types for the files of a study folder, and the facts that follow from them."""
