//! Read IDX files, the format of MNIST: big-endian sizes, then bytes.

use std::io::Read;

use super::bytes::{self, MOST_BYTES};
use super::error::Malformed;

/// An array of bytes with its dimensions.
#[derive(Debug, PartialEq)]
pub(super) struct IdxArray {
    /// Lengths along each dimension, slowest first.
    pub dims: Vec<usize>,
    /// As many as the product of `dims`.
    pub values: Vec<u8>,
}

/// Parses an IDX file of unsigned bytes, as it is or compressed with gzip.
///
/// ```text
/// 0 0 T D   n_1 … n_D   values     T: element type (8: unsigned byte), n_i: u32 big-endian
/// ```
pub(super) fn parse(file: &[u8]) -> Result<IdxArray, Malformed> {
    let mut reader = bytes::uncompressed(file);
    let magic: [u8; 4] = read_array(&mut reader, 0)?;
    let [0, 0, element_type, dimensions] = magic else {
        return Err(Malformed::at_byte(
            0,
            format!("not an IDX file: it begins with {magic:?}, an IDX file begins with [0, 0]"),
        ));
    };
    if element_type != 8 {
        return Err(Malformed::at_byte(
            2,
            format!("element type 0x{element_type:02x}; only unsigned bytes (0x08) are read"),
        ));
    }
    let mut dims = Vec::new();
    let mut declared = 1u64;
    for i in 0..usize::from(dimensions) {
        let n = u32::from_be_bytes(read_array(&mut reader, 4 + 4 * i)?);
        declared = declared.saturating_mul(u64::from(n));
        dims.push(n as usize);
    }
    let header = 4 + 4 * dims.len();
    if dims.is_empty() || declared > MOST_BYTES {
        let problem = format!("dimensions {dims:?} are impossible or too large");
        return Err(Malformed::at_byte(4, problem));
    }
    let mut values = Vec::new();
    let read = |e| Malformed::at_byte(header, format!("cannot read on: {e}"));
    reader.by_ref().take(declared).read_to_end(&mut values).map_err(read)?;
    if (values.len() as u64) < declared {
        return Err(Malformed::at_byte(
            header + values.len(),
            format!("the file ends here, but {dims:?} needs {declared} values: is it complete?"),
        ));
    }
    if reader.read(&mut [0]).map_err(read)? != 0 {
        return Err(Malformed::at_byte(
            header + values.len(),
            format!("the file goes on after the {declared} values that {dims:?} needs"),
        ));
    }
    Ok(IdxArray { dims, values })
}

/// Reads four bytes at `offset`.
fn read_array(reader: &mut impl Read, offset: usize) -> Result<[u8; 4], Malformed> {
    let mut array = [0; 4];
    reader
        .read_exact(&mut array)
        .map_err(|e| Malformed::at_byte(offset, format!("the header cannot be read: {e}")))?;
    Ok(array)
}
