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
