"""A lower bound for networks of one hidden layer, of any width, neuron by neuron.

Let the price of a network be the sum of its neurons' prices, and give every hinge a
multiplier μ ≥ 0, at most 1/N for an instance's together. With α_i = Σ_c μ_ic (e_{y_i} −
e_c) the objective is at least

    Σ μ − U Σ_o |Σ_i α_io|
        + Σ_j [ price(w_j, v_j) − Σ_i α_i · v_j ReLU(w_j · x_i + b_j) ],

and where no single neuron has a negative bracket, the first line bounds every
network. That is the dual of the convex hull of neurons (Bach, arXiv 1412.8690; Pilanci
and Ergen, arXiv 2002.10553, for prices that grow with the product of sizes), so what
is lost is only what networks of fractions of neurons save. They save most by few,
large output weights at a fraction; so the bound is taken for each total of output
weights T = Σ_j |v_j|₁ apart, with a multiplier π for it, and the least over T counts.
It holds for every T, and the grid of output weights keeps both T and v to few values.

- `output_choices`: the values of v.
- `dual_program`: the linear program over μ and π, whose rows are neurons.
- `ascent`: neurons that break it, by gradients.
- `pricing_program`, `hull_rows`, `pricing`: the most that any neuron of a given v
  gains, by a linear program with cuts, and by one with binaries.
- `proof`: that for every v, the worst first.
- `certificate`: what proofs that fall short by a part still bound.
- `bound`: all of it in turn, the weakest total first.
"""
