//! Name bytes and weights by their SHA-256.

use sha2::{Digest, Sha256};

use crate::data::hex;

/// SHA-256 of `bytes` as 64 lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The digest of a model: SHA-256 over the little-endian bytes of its parameters, in the order of
/// the [`ParameterTable`](crate::model::ParameterTable). Equal digests mean equal bits.
pub fn digest(parameters: &[f32]) -> String {
    let mut hasher = Sha256::new();
    for chunk in parameters.chunks(1024) {
        let bytes: Vec<u8> = chunk.iter().flat_map(|p| p.to_le_bytes()).collect();
        hasher.update(&bytes);
    }
    hex(&hasher.finalize())
}

/// The first 16 digits of a digest: what people read and compare.
pub fn short_digest(digest: &str) -> &str {
    digest.get(..16).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex(b"abc"), abc);
        let parameters: Vec<f32> = (0..3000).map(|i| i as f32 * 0.5).collect();
        let bytes: Vec<u8> = parameters.iter().flat_map(|p| p.to_le_bytes()).collect();
        assert_eq!(digest(&parameters), sha256_hex(&bytes));
        assert_ne!(digest(&[0.0]), digest(&[-0.0]), "bits, not values");
        assert_eq!(short_digest(abc), "ba7816bf8f01cfea");
    }
}
