"""How the four models look in every picture."""

# of Fig. 1 and 2 of arXiv 2112.00434: MIP red, PBO green, LR blue, GD orange
MODEL_COLOURS = {
    "mip": "#c8352b",
    "pbo": "#2f8f4e",
    "logistic": "#2b62b5",
    "gradient_descent": "#e08a1e",
}
MODEL_NAMES = {
    "mip": "MIP",
    "pbo": "PBO",
    "logistic": "logistic regression",
    "gradient_descent": "gradient descent",
}
