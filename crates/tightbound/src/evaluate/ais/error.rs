//! Say why log p(x) cannot be annealed.

/// Annealing that gives no number.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AisError {
    /// There is nothing to average over.
    #[error("there are no images to anneal")]
    NoImages,
    /// A count that must be positive is zero, or cannot be numbered.
    #[error("{what} must be between 1 and {most}, and is {value}")]
    Count {
        /// Chains, temperatures or leapfrog steps.
        what: &'static str,
        /// What was asked for.
        value: u32,
        /// The largest that can be numbered.
        most: u32,
    },
    /// The images do not fit the model.
    #[error("the images have {images} pixels and the model {model}: was it trained on other data?")]
    Pixels {
        /// D of the images.
        images: usize,
        /// D of the model.
        model: usize,
    },
    /// `progress` asked to stop.
    #[error("the annealing was interrupted")]
    Interrupted,
    /// log p(x|z) is not finite where a chain begins.
    #[error(
        "log p(x|z) of image {image} is {value} where chain {chain} begins: the model's parameters \
         may have diverged"
    )]
    NonFinite {
        /// The image's number in its data set.
        image: u32,
        /// The chain's number.
        chain: usize,
        /// The value.
        value: f64,
    },
}
