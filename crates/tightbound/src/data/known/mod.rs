//! Load the data sets known by name, from the user's folders or from their public homes.

mod binarized_mnist;
mod file;
mod mnist;
mod omniglot;

pub(super) use binarized_mnist::load as binarized_mnist;
pub(super) use mnist::load as mnist;
pub(super) use omniglot::load as omniglot;
