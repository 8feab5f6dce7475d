"""Networks to start from: trained by gradient descent, rounded, repaired."""
