"""Exit times and the estimates that are made from them."""
