"""Networks that only measure, their weights, and the crops they see."""
