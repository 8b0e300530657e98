"""What a page consists of: blocks, numbers, colors."""
