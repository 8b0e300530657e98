"""What every package of this project may import, and which imports none of them."""
