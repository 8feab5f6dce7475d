"""How far pixels alone go on the built-in birds: it must not be far.

Run: `python -m benchmarks.birds_baselines`
"""

import numpy as np

from qpm_jax import datasets


def main() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import NearestCentroid
    from sklearn.preprocessing import StandardScaler

    birds = datasets.load("birds")
    train, test = (
        np.asarray(split.images).reshape(len(split.labels), -1) / 255
        for split in (birds.train, birds.test)
    )
    nearest = NearestCentroid().fit(train, birds.train.labels)
    accuracy = nearest.score(test, birds.test.labels)
    print(f"nearest class mean            {100 * accuracy:5.1f} %")
    scaler = StandardScaler().fit(train)
    train, test = scaler.transform(train), scaler.transform(test)
    for strength in (1e-5, 1e-4, 1e-3):
        linear = LogisticRegression(C=strength, max_iter=200)
        accuracy = linear.fit(train, birds.train.labels).score(test, birds.test.labels)
        print(f"logistic regression, C={strength:g}  {100 * accuracy:5.1f} %")


if __name__ == "__main__":
    main()
