//! Name the papers that the estimators come from.

/// A paper, as BibTeX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The citation key.
    pub key: &'static str,
    /// Authors and year, for running text.
    pub short: &'static str,
    /// The whole BibTeX entry.
    pub bibtex: &'static str,
}

/// The variational auto-encoder.
pub(super) const KINGMA_2014: Reference = Reference {
    key: "kingma2014auto",
    short: "Kingma & Welling 2014",
    bibtex: "@inproceedings{kingma2014auto,
  title     = {Auto-Encoding Variational {Bayes}},
  author    = {Kingma, Diederik P. and Welling, Max},
  booktitle = {International Conference on Learning Representations},
  year      = {2014}
}",
};

/// The importance-weighted auto-encoder.
pub(super) const BURDA_2016: Reference = Reference {
    key: "burda2016importance",
    short: "Burda, Grosse & Salakhutdinov 2016",
    bibtex: "@inproceedings{burda2016importance,
  title     = {Importance Weighted Autoencoders},
  author    = {Burda, Yuri and Grosse, Roger and Salakhutdinov, Ruslan},
  booktitle = {International Conference on Learning Representations},
  year      = {2016}
}",
};

/// MIWAE, CIWAE and PIWAE.
pub(super) const RAINFORTH_2018: Reference = Reference {
    key: "rainforth2018tighter",
    short: "Rainforth et al. 2018",
    bibtex: "@inproceedings{rainforth2018tighter,
  title     = {Tighter Variational Bounds are Not Necessarily Better},
  author    = {Rainforth, Tom and Kosiorek, Adam R. and Le, Tuan Anh and Maddison, Chris J. and
               Igl, Maximilian and Wood, Frank and Teh, Yee Whye},
  booktitle = {International Conference on Machine Learning},
  year      = {2018}
}",
};

/// Sticking the landing.
pub(super) const ROEDER_2017: Reference = Reference {
    key: "roeder2017sticking",
    short: "Roeder, Wu & Duvenaud 2017",
    bibtex: "@inproceedings{roeder2017sticking,
  title     = {Sticking the Landing: Simple, Lower-Variance Gradient Estimators for
               Variational Inference},
  author    = {Roeder, Geoffrey and Wu, Yuhuai and Duvenaud, David},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2017}
}",
};

/// Doubly reparameterised gradients.
pub(super) const TUCKER_2019: Reference = Reference {
    key: "tucker2019doubly",
    short: "Tucker et al. 2019",
    bibtex: "@inproceedings{tucker2019doubly,
  title     = {Doubly Reparameterized Gradient Estimators for {Monte Carlo} Objectives},
  author    = {Tucker, George and Lawson, Dieterich and Gu, Shixiang and Maddison, Chris J.},
  booktitle = {International Conference on Learning Representations},
  year      = {2019}
}",
};

/// Reweighted wake-sleep.
pub(super) const BORNSCHEIN_2015: Reference = Reference {
    key: "bornschein2015reweighted",
    short: "Bornschein & Bengio 2015",
    bibtex: "@inproceedings{bornschein2015reweighted,
  title     = {Reweighted Wake-Sleep},
  author    = {Bornschein, J{\\\"o}rg and Bengio, Yoshua},
  booktitle = {International Conference on Learning Representations},
  year      = {2015}
}",
};

/// VIMCO.
pub(super) const MNIH_2016: Reference = Reference {
    key: "mnih2016variational",
    short: "Mnih & Rezende 2016",
    bibtex: "@inproceedings{mnih2016variational,
  title     = {Variational Inference for {Monte Carlo} Objectives},
  author    = {Mnih, Andriy and Rezende, Danilo J.},
  booktitle = {International Conference on Machine Learning},
  year      = {2016}
}",
};

/// OVIS.
pub(super) const LIEVIN_2020: Reference = Reference {
    key: "lievin2020optimal",
    short: "Liévin et al. 2020",
    bibtex: "@inproceedings{lievin2020optimal,
  title     = {Optimal Variance Control of the Score-Function Gradient Estimator for
               Importance-Weighted Bounds},
  author    = {Li{\\'e}vin, Valentin and Dittadi, Andrea and Christensen, Anders and Winther, Ole},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2020}
}",
};

/// The thermodynamic variational objective.
pub(super) const MASRANI_2019: Reference = Reference {
    key: "masrani2019thermodynamic",
    short: "Masrani, Le & Wood 2019",
    bibtex: "@inproceedings{masrani2019thermodynamic,
  title     = {The Thermodynamic Variational Objective},
  author    = {Masrani, Vaden and Le, Tuan Anh and Wood, Frank},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2019}
}",
};

/// The VR-IWAE bound.
pub(super) const DAUDEL_2023: Reference = Reference {
    key: "daudel2023alpha",
    short: "Daudel et al. 2023",
    bibtex: "@article{daudel2023alpha,
  title     = {Alpha-divergence Variational Inference Meets Importance Weighted
               Auto-Encoders: Methodology and Asymptotics},
  author    = {Daudel, Kam{\\'e}lia and Benton, Joe and Shi, Yuyang and Doucet, Arnaud},
  journal   = {Journal of Machine Learning Research},
  year      = {2023}
}",
};

/// Jackknife variational inference.
pub(super) const NOWOZIN_2018: Reference = Reference {
    key: "nowozin2018debiasing",
    short: "Nowozin 2018",
    bibtex: "@inproceedings{nowozin2018debiasing,
  title     = {Debiasing Evidence Approximations: On Importance-weighted Autoencoders and
               Jackknife Variational Inference},
  author    = {Nowozin, Sebastian},
  booktitle = {International Conference on Learning Representations},
  year      = {2018}
}",
};
