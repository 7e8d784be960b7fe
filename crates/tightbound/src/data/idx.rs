//! Read IDX files, the format of MNIST: big-endian sizes, then bytes.

use std::io::Read;

use super::bytes::{self, MOST_BYTES};
use super::error::Malformed;
use super::grey::image_shape;
use super::images::{Images, Pixels};

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

/// Reads an array as images.
pub(super) fn images(array: IdxArray) -> Result<Images, Malformed> {
    let shape = image_shape(&array.dims);
    let (_, height, width) = shape.map_err(|e| Malformed::at_byte(4, e))?;
    Ok(Images::new(height, width, Pixels::Bytes(array.values), None))
}

/// Reads an array as labels.
pub(super) fn labels(array: IdxArray) -> Result<Vec<u16>, Malformed> {
    match array.dims[..] {
        [_] => Ok(array.values.into_iter().map(u16::from).collect()),
        _ => {
            let problem = format!("dimensions {:?}; labels have one dimension", array.dims);
            Err(Malformed::at_byte(4, problem))
        }
    }
}

/// Reads four bytes at `offset`.
fn read_array(reader: &mut impl Read, offset: usize) -> Result<[u8; 4], Malformed> {
    let mut array = [0; 4];
    reader
        .read_exact(&mut array)
        .map_err(|e| Malformed::at_byte(offset, format!("the header cannot be read: {e}")))?;
    Ok(array)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const SMALL: [u8; 20] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7, 255];

    #[test]
    fn plain_and_compressed_files_are_read() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&SMALL).unwrap();
        for file in [&SMALL[..], &gz.finish().unwrap()] {
            let images = images(parse(file).unwrap()).unwrap();
            assert_eq!((images.len(), images.height, images.width), (2, 1, 2));
            assert_eq!(images.pixels, Pixels::Bytes(vec![9, 8, 7, 255]));
        }
    }

    #[test]
    fn errors_name_the_byte() {
        let changed = |at: usize, byte: u8| {
            let mut file = SMALL.to_vec();
            file[at] = byte;
            file
        };
        let long = [&SMALL[..], &[1]].concat();
        for (file, place, problem) in [
            (changed(0, 1), "byte 0", "not an IDX file"),
            (changed(2, 0x0d), "byte 2", "0x0d"),
            (changed(7, 3), "byte 20", "ends here"),
            (SMALL[..19].to_vec(), "byte 19", "ends here"),
            (SMALL[..9].to_vec(), "byte 8", "header cannot be read"),
            (long, "byte 20", "goes on"),
            (changed(3, 0), "byte 4", "impossible"),
            (changed(4, 255), "byte 4", "too large"),
            // The most that may be declared, 2³² − 1.
            (vec![0, 0, 8, 1, 255, 255, 255, 255], "byte 8", "ends here"),
        ] {
            let error = parse(&file).unwrap_err();
            assert_eq!(error.place, place, "{}", error.problem);
            assert!(error.problem.contains(problem), "{}", error.problem);
        }
        assert_eq!(labels(parse(&[0, 0, 8, 1, 0, 0, 0, 2, 7, 3]).unwrap()).unwrap(), [7, 3]);
        assert!(labels(parse(&SMALL).unwrap()).unwrap_err().problem.contains("one dimension"));
    }
}
