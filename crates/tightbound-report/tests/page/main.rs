//! Test the page: what its HTML holds, and what a browser makes of it.

mod browser;
mod exploring;
mod fixture;
mod markup;
