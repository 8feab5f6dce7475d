"""Marginals of all good models by expectation propagation, and models from them."""
