//! Read numeric arrays from MATLAB's level 5 files (`save -v6` and `-v7`).
//!
//! A small reader of our own: the crate `matfile` multiplies hostile sizes unchecked, prints to
//! standard error and turns every array into doubles before it hands it out.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::error::Malformed;

/// Length of the file's header.
const HEADER: usize = 128;
/// Type number of a compressed element.
const COMPRESSED: u32 = 15;
/// Type number of an array.
const MATRIX: u32 = 14;

/// A real numeric array.
#[derive(Debug)]
pub(super) struct MatArray {
    /// The variable's name.
    pub name: String,
    /// Lengths along each dimension, fastest first.
    pub dims: Vec<usize>,
    /// Type number of the elements as they are stored, whatever the array's class.
    element: u32,
    bytes: Vec<u8>,
}

impl MatArray {
    /// The elements, first index fastest.
    pub fn values(&self) -> impl Iterator<Item = f64> + '_ {
        let size = element_size(self.element).unwrap_or(1);
        self.bytes.chunks_exact(size).map(|bytes| element_value(self.element, bytes))
    }
}

/// Bytes per stored element, for numeric types.
fn element_size(element: u32) -> Option<usize> {
    match element {
        1 | 2 => Some(1),
        3 | 4 => Some(2),
        5..=7 => Some(4),
        9 | 12 | 13 => Some(8),
        _ => None,
    }
}

/// The value of one stored element.
fn element_value(element: u32, bytes: &[u8]) -> f64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    let word = u64::from_le_bytes(word);
    match element {
        1 => f64::from(word as i8),
        3 => f64::from(word as i16),
        5 => f64::from(word as i32),
        7 => f64::from(f32::from_bits(word as u32)),
        9 => f64::from_bits(word),
        12 => word as i64 as f64,
        _ => word as f64,
    }
}

/// Parses the variables of a file that are real, full, numeric arrays; others are passed over.
pub(super) fn parse(file: &[u8]) -> Result<Vec<MatArray>, Malformed> {
    let Some(header) = file.get(..HEADER) else {
        return Err(Malformed::at_byte(file.len(), "the file ends within its header"));
    };
    match (&header[126..128], header[125]) {
        (b"IM", 1) => {}
        (b"IM", 2) => {
            return Err(Malformed::at_byte(124, "MATLAB 7.3 (HDF5); save it with -v7 or -v6"));
        }
        (b"MI", _) => {
            let problem = "written on a big-endian machine; load it in MATLAB and save it again";
            return Err(Malformed::at_byte(126, problem));
        }
        _ => return Err(Malformed::at_byte(124, "not a MATLAB level 5 file")),
    }
    let mut arrays = Vec::new();
    let mut offset = HEADER;
    while offset < file.len() {
        let at = |problem: String| Malformed::at_byte(offset, problem);
        let (tag, body) = element(&file[offset..]).map_err(at)?;
        let array = match tag.kind {
            COMPRESSED => decompress(body).and_then(|inner| {
                let (tag, body) = element(&inner)?;
                if tag.kind == MATRIX { matrix(body) } else { Ok(None) }
            }),
            MATRIX => matrix(body),
            _ => Ok(None),
        };
        arrays.extend(array.map_err(at)?);
        offset += tag.whole;
    }
    Ok(arrays)
}

/// Decompresses the element of a compressed one: no more than its own tag declares, in 32 bits.
fn decompress(compressed: &[u8]) -> Result<Vec<u8>, String> {
    let mut decoder = ZlibDecoder::new(compressed);
    let mut inner = vec![0; 8];
    let damaged = |e| format!("the compressed element is damaged: {e}");
    decoder.read_exact(&mut inner).map_err(damaged)?;
    let declared = u64::from(u32_at(&inner, 4)?);
    decoder.take(declared).read_to_end(&mut inner).map_err(damaged)?;
    Ok(inner)
}

/// What stands before the data of an element.
struct Tag {
    /// Type number.
    kind: u32,
    /// Bytes from this tag to the next.
    whole: usize,
}

/// Splits off the first element of `bytes`: tag and data.
fn element(bytes: &[u8]) -> Result<(Tag, &[u8]), String> {
    let word = u32_at(bytes, 0)?;
    if word >> 16 != 0 {
        // Small elements hold the length in the upper half, and at most four bytes beside it.
        let data = bytes.get(4..4 + (word >> 16) as usize).filter(|data| data.len() <= 4);
        let data = data.ok_or("a small element is longer than 4 bytes, or cut off")?;
        return Ok((Tag { kind: word & 0xffff, whole: 8 }, data));
    }
    let length = u32_at(bytes, 4)? as usize;
    let data = bytes.get(8..).and_then(|rest| rest.get(..length)).ok_or_else(|| {
        let there = bytes.len() - 8;
        format!("the element declares {length} bytes, but {there} are there: is it complete?")
    })?;
    // Compressed elements are not padded; all others are, to a multiple of 8.
    let padded = if word == COMPRESSED { length } else { length.next_multiple_of(8) };
    Ok((Tag { kind: word, whole: 8 + padded }, data))
}

/// The 32-bit number at `offset`.
fn u32_at(bytes: &[u8], offset: usize) -> Result<u32, String> {
    let word = bytes.get(offset..offset + 4).and_then(|b| b.first_chunk());
    word.map(|word| u32::from_le_bytes(*word)).ok_or_else(|| "the element's tag is cut off".into())
}

/// Parses the body of an array: flags, dimensions, name, real part.
fn matrix(body: &[u8]) -> Result<Option<MatArray>, String> {
    let mut rest = body;
    let mut next = || {
        let (tag, data) = element(rest)?;
        rest = rest.get(tag.whole..).unwrap_or_default();
        Ok::<_, String>((tag.kind, data))
    };
    let flags = u32_at(next()?.1, 0)?;
    let (class, complex) = (flags & 0xff, flags & 0x800 != 0);
    if !(6..=15).contains(&class) || complex {
        return Ok(None);
    }
    let dims: Vec<usize> =
        next()?.1.chunks_exact(4).map(|n| element_value(6, n) as usize).collect();
    let name = String::from_utf8_lossy(next()?.1).into_owned();
    let (element, data) = next()?;
    let size = element_size(element)
        .ok_or_else(|| format!("`{name}` has elements of the unknown type {element}"))?;
    let needed = dims.iter().try_fold(size, |product, &n| product.checked_mul(n));
    if needed != Some(data.len()) {
        let there = data.len() / size;
        return Err(format!("`{name}` has dimensions {dims:?}, but {there} elements"));
    }
    Ok(Some(MatArray { name, dims, element, bytes: data.to_vec() }))
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::*;

    /// A header with the file's version and byte order.
    pub fn header() -> Vec<u8> {
        let mut header = vec![b' '; 124];
        header.extend([0, 1, b'I', b'M']);
        header
    }

    /// An element; small if it fits.
    fn tagged(kind: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        if !data.is_empty() && data.len() <= 4 {
            bytes.extend((kind | (data.len() as u32) << 16).to_le_bytes());
        } else {
            bytes.extend(kind.to_le_bytes());
            bytes.extend((data.len() as u32).to_le_bytes());
        }
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    /// An array of class double, its elements stored as another type.
    pub fn array(name: &str, dims: [u32; 2], kind: u32, data: &[u8]) -> Vec<u8> {
        let dims: Vec<u8> = dims.iter().flat_map(|n| n.to_le_bytes()).collect();
        let flags = [6u32.to_le_bytes(), [0; 4]].concat();
        let parts = [tagged(6, &flags), tagged(5, &dims), tagged(1, name.as_bytes())];
        tagged(MATRIX, &[parts.concat(), tagged(kind, data)].concat())
    }

    /// The same element, compressed.
    pub fn compressed(element: &[u8]) -> Vec<u8> {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(element).unwrap();
        let zlib = zlib.finish().unwrap();
        [&COMPRESSED.to_le_bytes()[..], &(zlib.len() as u32).to_le_bytes(), &zlib].concat()
    }

    #[test]
    fn stored_types_small_elements_and_compression_are_read() {
        let double: Vec<u8> = [0.5f64, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        let file = [
            header(),
            array("a", [3, 1], 2, &[7, 8, 255]),
            compressed(&array("a_longer_name", [1, 2], 9, &double)),
            array("b", [2, 1], 3, &[0xff, 0xff, 1, 0]),
            array("c", [1, 1], 7, &0.25f32.to_le_bytes()),
        ];
        let arrays = parse(&file.concat()).unwrap();
        let all: Vec<(&str, &[usize], Vec<f64>)> =
            arrays.iter().map(|a| (&*a.name, &*a.dims, a.values().collect())).collect();
        assert_eq!(
            all,
            [
                ("a", &[3, 1][..], vec![7.0, 8.0, 255.0]),
                ("a_longer_name", &[1, 2], vec![0.5, -2.0]),
                ("b", &[2, 1], vec![-1.0, 1.0]),
                ("c", &[1, 1], vec![0.25]),
            ]
        );
    }

    /// Bits that are all set are −1 where a type has a sign and its largest number where it has none.
    #[test]
    fn every_type_has_its_size_and_sign() {
        for (kind, size, value) in [
            (1, 1, -1.0),
            (2, 1, 255.0),
            (3, 2, -1.0),
            (4, 2, 65_535.0),
            (5, 4, -1.0),
            (6, 4, 4_294_967_295.0),
            (12, 8, -1.0),
            (13, 8, 2f64.powi(64)),
        ] {
            let file = [header(), array("a", [1, 1], kind, &[0xff; 8][..size])].concat();
            let values: Vec<f64> = parse(&file).unwrap()[0].values().collect();
            assert_eq!(values, [value], "type {kind}");
        }
    }

    #[test]
    fn what_is_no_array_of_real_numbers_is_passed_over() {
        let whole = array("a", [1, 1], 2, &[7]);
        // The flags stand behind the tags of the array and of themselves: text, then complex numbers.
        let changed = |at: usize, byte: u8| {
            let mut array = whole.clone();
            array[at] = byte;
            array
        };
        let file = [header(), changed(16, 4), changed(17, 8), whole.clone()].concat();
        assert_eq!(parse(&file).unwrap().len(), 1);
    }

    #[test]
    fn errors_name_the_element() {
        let good = [header(), array("a", [3, 1], 2, &[7, 8, 9])].concat();
        let changed = |at: usize, byte: u8| {
            let mut file = good.clone();
            file[at] = byte;
            file
        };
        for (file, place, problem) in [
            (good[..100].to_vec(), "byte 100", "header"),
            (changed(125, 2), "byte 124", "HDF5"),
            (changed(125, 3), "byte 124", "not a MATLAB"),
            ([&good[..126], b"MI", &good[128..]].concat(), "byte 126", "big-endian"),
            (good[..good.len() - 1].to_vec(), "byte 128", "48 bytes, but 47 are there"),
            ([&good[..], &[15, 0, 0]].concat(), "byte 184", "cut off"),
            ([header(), array("a", [4, 1], 2, &[7, 8, 9])].concat(), "byte 128", "3 elements"),
            (
                [header(), array("a", [1, 2], 4, &[7, 0, 8, 0, 9, 0])].concat(),
                "byte 128",
                "3 elements",
            ),
        ] {
            let error = parse(&file).unwrap_err();
            assert_eq!(error.place, place, "{}", error.problem);
            assert!(error.problem.contains(problem), "{}", error.problem);
        }
    }
}
