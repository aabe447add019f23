"""What a talking face is worth, measured in the decoded frames of its videos."""
