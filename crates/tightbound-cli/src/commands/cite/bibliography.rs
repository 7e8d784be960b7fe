//! Hold the papers, other than the estimators', that a run can rest on.

use tightbound::estimators::Reference;

/// The optimiser.
pub const ADAM: Reference = Reference {
    key: "kingma2015adam",
    short: "Kingma & Ba 2015",
    bibtex: "@inproceedings{kingma2015adam,
  title     = {Adam: A Method for Stochastic Optimization},
  author    = {Kingma, Diederik P. and Ba, Jimmy},
  booktitle = {International Conference on Learning Representations},
  year      = {2015}
}",
};

/// Glorot initialisation.
pub const GLOROT: Reference = Reference {
    key: "glorot2010understanding",
    short: "Glorot & Bengio 2010",
    bibtex: "@inproceedings{glorot2010understanding,
  title     = {Understanding the Difficulty of Training Deep Feedforward Neural Networks},
  author    = {Glorot, Xavier and Bengio, Yoshua},
  booktitle = {International Conference on Artificial Intelligence and Statistics},
  pages     = {249--256},
  year      = {2010}
}",
};

/// The random numbers.
pub const PHILOX: Reference = Reference {
    key: "salmon2011parallel",
    short: "Salmon et al. 2011",
    bibtex: "@inproceedings{salmon2011parallel,
  title     = {Parallel Random Numbers: As Easy as 1, 2, 3},
  author    = {Salmon, John K. and Moraes, Mark A. and Dror, Ron O. and Shaw, David E.},
  booktitle = {International Conference for High Performance Computing, Networking, Storage and
               Analysis (SC11)},
  year      = {2011}
}",
};

/// MNIST.
pub const MNIST: Reference = Reference {
    key: "lecun1998gradient",
    short: "LeCun et al. 1998",
    bibtex: "@article{lecun1998gradient,
  title   = {Gradient-Based Learning Applied to Document Recognition},
  author  = {LeCun, Yann and Bottou, L{\\'e}on and Bengio, Yoshua and Haffner, Patrick},
  journal = {Proceedings of the IEEE},
  volume  = {86},
  number  = {11},
  pages   = {2278--2324},
  year    = {1998}
}",
};

/// The fixed binarisation of MNIST.
pub const BINARIZED_MNIST: Reference = Reference {
    key: "salakhutdinov2008quantitative",
    short: "Salakhutdinov & Murray 2008",
    bibtex: "@inproceedings{salakhutdinov2008quantitative,
  title     = {On the Quantitative Analysis of Deep Belief Networks},
  author    = {Salakhutdinov, Ruslan and Murray, Iain},
  booktitle = {International Conference on Machine Learning},
  pages     = {872--879},
  year      = {2008}
}",
};

/// Omniglot.
pub const OMNIGLOT: Reference = Reference {
    key: "lake2015human",
    short: "Lake, Salakhutdinov & Tenenbaum 2015",
    bibtex: "@article{lake2015human,
  title   = {Human-Level Concept Learning Through Probabilistic Program Induction},
  author  = {Lake, Brenden M. and Salakhutdinov, Ruslan and Tenenbaum, Joshua B.},
  journal = {Science},
  volume  = {350},
  number  = {6266},
  pages   = {1332--1338},
  year    = {2015}
}",
};
