"""What is generated and measured: lists, portraits, videos, and scoring them."""
