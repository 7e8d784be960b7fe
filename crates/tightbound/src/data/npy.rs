//! Read NumPy's `.npy` arrays and `.npz` archives of them.
//!
//! The header is parsed here: the crate `npyz` multiplies a hostile shape without checking and
//! allocates what the header declares.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::bytes::MOST_BYTES;
use super::error::Malformed;
use super::grey::{Grey, image_shape};
use super::images::{Images, Pixels};

/// The longest header that is read; NumPy itself refuses more than 10,000 bytes.
const LONGEST_HEADER: usize = 10_000;

/// Types of elements.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Element {
    Bool,
    Unsigned,
    Signed,
    Float,
}

/// An array in C order.
#[derive(Debug)]
pub(super) struct NpyArray {
    shape: Vec<usize>,
    element: Element,
    /// Bytes per element.
    size: usize,
    big_endian: bool,
    bytes: Vec<u8>,
}

/// Parses one array, from the preamble to the last element, and nothing behind it.
///
/// ```text
/// \x93NUMPY major minor length {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n elements
/// ```
pub(super) fn parse(mut reader: impl Read) -> Result<NpyArray, Malformed> {
    let mut preamble = [0; 10];
    let short = |e| Malformed::at_byte(0, format!("the header cannot be read: {e}"));
    reader.read_exact(&mut preamble).map_err(short)?;
    if !preamble.starts_with(b"\x93NUMPY") {
        return Err(Malformed::at_byte(0, "not a .npy array: it does not begin with \\x93NUMPY"));
    }
    let mut length = usize::from(u16::from_le_bytes([preamble[8], preamble[9]]));
    let mut start = 10;
    match preamble[6] {
        1 => {}
        2 | 3 => {
            let mut high = [0; 2];
            reader.read_exact(&mut high).map_err(short)?;
            length |= usize::from(u16::from_le_bytes(high)) << 16;
            start = 12;
        }
        version => {
            return Err(Malformed::at_byte(6, format!("version {version} of .npy is not known")));
        }
    }
    if length > LONGEST_HEADER {
        return Err(Malformed::at_byte(8, format!("a header of {length} bytes is too long")));
    }
    let mut header = vec![0; length];
    reader.read_exact(&mut header).map_err(short)?;
    let header = String::from_utf8_lossy(&header);
    let mut array = parse_header(&header).map_err(|e| Malformed::at_byte(start, e))?;

    let declared = array
        .shape
        .iter()
        .try_fold(array.size as u64, |product, &n| product.checked_mul(n as u64))
        .filter(|&bytes| bytes <= MOST_BYTES)
        .ok_or_else(|| {
            Malformed::at_byte(start, format!("shape {:?} is too large", array.shape))
        })?;
    let begin = start + length;
    let read = |e| Malformed::at_byte(begin, format!("cannot read on: {e}"));
    reader.by_ref().take(declared).read_to_end(&mut array.bytes).map_err(read)?;
    let end = begin + array.bytes.len();
    let shape = &array.shape;
    if (array.bytes.len() as u64) < declared {
        let problem = format!("ends here, but shape {shape:?} needs {declared} bytes of elements");
        return Err(Malformed::at_byte(end, problem));
    }
    if reader.read(&mut [0]).map_err(read)? != 0 {
        let problem = format!("goes on after the {declared} bytes that shape {shape:?} needs");
        return Err(Malformed::at_byte(end, problem));
    }
    Ok(array)
}

/// Parses the header's dictionary; the array has no elements yet.
fn parse_header(header: &str) -> Result<NpyArray, String> {
    let value = |key: &str| {
        let (_, rest) = header.split_once(&format!("'{key}':")).ok_or(format!("no key '{key}'"))?;
        Ok::<_, String>(rest.trim_start())
    };
    let descr = value("descr")?.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
    let descr = descr.map(|(descr, _)| descr).ok_or("structured arrays are not read")?;
    let (element, size) = match descr.trim_start_matches(['<', '>', '|', '=']) {
        "b1" => (Element::Bool, 1),
        "u1" => (Element::Unsigned, 1),
        "u2" => (Element::Unsigned, 2),
        "u4" => (Element::Unsigned, 4),
        "u8" => (Element::Unsigned, 8),
        "i1" => (Element::Signed, 1),
        "i2" => (Element::Signed, 2),
        "i4" => (Element::Signed, 4),
        "i8" => (Element::Signed, 8),
        "f4" => (Element::Float, 4),
        "f8" => (Element::Float, 8),
        _ => {
            let descr: String = descr.chars().take(20).collect();
            return Err(format!("element type '{}' is not read", descr.escape_debug()));
        }
    };
    let big_endian = descr.starts_with('>');
    if !value("fortran_order")?.starts_with("False") {
        return Err("the array is in Fortran order; save np.ascontiguousarray(array)".into());
    }
    let shape = value("shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let (shape, _) = shape.ok_or("the shape is not a tuple")?;
    let shape = shape.split(',').map(str::trim).filter(|n| !n.is_empty());
    let shape: Result<Vec<usize>, _> = shape.map(str::parse).collect();
    let shape = shape.map_err(|e| format!("the shape is not made of whole numbers: {e}"))?;
    Ok(NpyArray { shape, element, size, big_endian, bytes: Vec::new() })
}

impl NpyArray {
    /// Element `i`, counted in C order.
    fn value(&self, i: usize) -> f64 {
        let mut bytes = [0; 8];
        let element = &self.bytes[i * self.size..(i + 1) * self.size];
        bytes[..self.size].copy_from_slice(element);
        if self.big_endian {
            bytes[..self.size].reverse();
        }
        let word = u64::from_le_bytes(bytes);
        match (self.element, self.size) {
            (Element::Float, 4) => f64::from(f32::from_bits(word as u32)),
            (Element::Float, _) => f64::from_bits(word),
            (Element::Signed, size) => {
                let unused = 64 - 8 * size as u32;
                ((word << unused) as i64 >> unused) as f64
            }
            (Element::Unsigned | Element::Bool, _) => word as f64,
        }
    }

    /// Reads the array as images.
    ///
    /// Bytes are k/255, or 0 and 1 if none is above 1. Floats must lie in [0, 1].
    pub fn into_images(self) -> Result<Images, Malformed> {
        let in_shape = |e| Malformed::new("the header", e);
        let (n, height, width) = image_shape(&self.shape).map_err(in_shape)?;
        let pixels = match (self.element, self.size) {
            (Element::Bool, _) | (Element::Unsigned, 1) => {
                let binary = self.element == Element::Bool || self.bytes.iter().all(|&b| b <= 1);
                let mut bytes = self.bytes;
                if binary {
                    bytes.iter_mut().for_each(|b| *b = if *b == 0 { 0 } else { 255 });
                }
                Pixels::Bytes(bytes)
            }
            (Element::Float, _) => {
                let mut grey = Grey::new();
                let d = height * width;
                for i in 0..n * d {
                    let place = |e| Malformed::new(format!("image {}, pixel {}", i / d, i % d), e);
                    grey.push(self.value(i)).map_err(place)?;
                }
                grey.finish()
            }
            _ => {
                let problem = "pixels must be of type bool, uint8, float32 or float64";
                return Err(Malformed::new("the header", problem));
            }
        };
        Ok(Images::new(height, width, pixels, None))
    }

    /// Reads the array as labels: whole numbers from 0 to 65535, one per image.
    pub fn into_labels(self) -> Result<Vec<u16>, Malformed> {
        let n = match self.shape[..] {
            [n] | [n, 1] if self.element != Element::Float => n,
            _ => {
                let problem = "labels must be a one-dimensional array of whole numbers";
                return Err(Malformed::new("the header", problem));
            }
        };
        let label = |i| {
            let value = self.value(i);
            if (0.0..=65535.0).contains(&value) {
                return Ok(value as u16);
            }
            Err(Malformed::new(format!("label {i}"), format!("{value} is not in 0..=65535")))
        };
        (0..n).map(label).collect()
    }
}

/// An archive of arrays.
#[derive(Debug)]
pub(super) struct Npz<'a>(ZipArchive<Cursor<&'a [u8]>>);

impl<'a> Npz<'a> {
    /// Reads the archive's directory.
    pub fn open(file: &'a [u8]) -> Result<Self, Malformed> {
        let archive = ZipArchive::new(Cursor::new(file));
        archive.map(Self).map_err(|e| Malformed::new("the archive", e.to_string()))
    }

    /// The names of the arrays in it.
    pub fn names(&self) -> Vec<String> {
        let names = self.0.file_names().filter_map(Result::ok);
        names.filter_map(|name| Some(name.strip_suffix(".npy")?.to_owned())).collect()
    }

    /// Reads one array, if it is there.
    pub fn array(&mut self, name: &str) -> Result<Option<NpyArray>, Malformed> {
        let place = format!("array `{name}`");
        if !self.names().iter().any(|other| other == name) {
            return Ok(None);
        }
        let file = self.0.by_name(&format!("{name}.npy"));
        let file = file.map_err(|e| Malformed::new(place.clone(), e.to_string()))?;
        parse(file).map(Some).map_err(|e| e.within(&place))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An array as NumPy writes it, version 1.
    pub fn npy(descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
        let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((dict.len() as u16).to_le_bytes());
        file.extend(dict.as_bytes());
        file.extend(elements);
        file
    }

    fn images(descr: &str, shape: &str, elements: &[u8]) -> Result<Images, Malformed> {
        parse(&npy(descr, shape, elements)[..])?.into_images()
    }

    fn floats(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    #[test]
    fn types_and_shapes_become_images() {
        let grey = images("|u1", "(2, 1, 1, 2)", &[0, 51, 255, 3]).unwrap();
        assert_eq!((grey.len(), grey.height, grey.width), (2, 1, 2));
        assert_eq!(grey.pixels, Pixels::Bytes(vec![0, 51, 255, 3]));
        for descr in ["|u1", "|b1"] {
            let binary = images(descr, "(1, 4)", &[0, 1, 1, 0]).unwrap();
            assert_eq!((binary.height, binary.width), (2, 2));
            assert_eq!(binary.pixels, Pixels::Bytes(vec![0, 255, 255, 0]));
        }
        let single = images("<f4", "(1, 1, 3)", &floats(&[0.0, 0.123, 1.0])).unwrap();
        assert_eq!(single.pixels, Pixels::Floats(vec![0.0, 0.123, 1.0]));
        let double: Vec<u8> = [0.2f64, 1.0].iter().flat_map(|v| v.to_be_bytes()).collect();
        let double = images(">f8", "(1, 2)", &double).unwrap();
        assert_eq!(double.pixels, Pixels::Bytes(vec![51, 255]));
    }

    #[test]
    fn labels_are_whole_numbers() {
        let labels =
            |descr, shape, bytes: &[u8]| parse(&npy(descr, shape, bytes)[..])?.into_labels();
        assert_eq!(labels("<i4", "(2,)", &[7, 0, 0, 0, 1, 2, 0, 0]).unwrap(), [7, 513]);
        let error = labels("|i1", "(2,)", &[1, 0xff]).unwrap_err();
        assert_eq!((&*error.place, &*error.problem), ("label 1", "-1 is not in 0..=65535"));
        for error in [labels("<f4", "(1,)", &floats(&[1.0])), labels("|u1", "(1, 2)", &[1, 2])] {
            assert!(error.unwrap_err().problem.contains("one-dimensional array of whole numbers"));
        }
    }

    #[test]
    fn every_whole_type_has_its_size_sign_and_order() {
        for (descr, size) in
            [("u1", 1), ("u2", 2), ("u4", 4), ("u8", 8), ("i1", 1), ("i2", 2), ("i4", 4), ("i8", 8)]
        {
            let number = if size == 1 { 100u64 } else { 300 };
            for order in ['<', '>'] {
                let mut element = number.to_le_bytes()[..size].to_vec();
                if order == '>' {
                    element.reverse();
                }
                let file = npy(&format!("{order}{descr}"), "(1,)", &element);
                let labels = parse(&file[..]).unwrap().into_labels().unwrap();
                assert_eq!(u64::from(labels[0]), number, "{order}{descr}");
            }
            let all = npy(&format!("<{descr}"), "(1,)", &[0xff; 8][..size]);
            let value = parse(&all[..]).unwrap().value(0);
            let largest = 2f64.powi(8 * size as i32) - 1.0;
            assert_eq!(value, if descr.starts_with('i') { -1.0 } else { largest }, "{descr}");
        }
    }

    /// Version 2 has four bytes for the header's length.
    #[test]
    fn headers_have_a_longest_length() {
        let file = |length: usize| {
            let short = npy("|u1", "(1, 1)", &[]);
            let mut file = b"\x93NUMPY\x02\x00".to_vec();
            file.extend((length as u32).to_le_bytes());
            file.extend(&short[10..]);
            file.resize(12 + length, b' ');
            file.push(1);
            parse(&file[..])
        };
        for length in [200, LONGEST_HEADER] {
            assert_eq!(file(length).unwrap().bytes, [1], "{length}");
        }
        for length in [LONGEST_HEADER + 1, (1 << 16) + 200] {
            let error = file(length).unwrap_err();
            assert!(error.problem.contains("too long"), "{length}: {}", error.problem);
        }
    }

    #[test]
    fn errors_say_where() {
        for (descr, shape, elements, place, problem) in [
            ("<f4", "(1, 2)", floats(&[0.0, f32::NAN]), "image 0, pixel 1", "NaN"),
            ("<f4", "(2, 1)", floats(&[0.0, 1.5]), "image 1, pixel 0", "1.5"),
            ("|u1", "(2, 9)", vec![0; 17], "byte 87", "ends here"),
            ("|u1", "(2, 9)", vec![0; 19], "byte 88", "goes on"),
            ("<i8", "(1, 1)", vec![0; 8], "the header", "uint8"),
            ("|O", "(1, 1)", vec![0; 8], "byte 10", "element type '|O'"),
            ("|u1", "(4294967296, 4294967296)", vec![], "byte 10", "too large"),
            ("|u1", "(-1, 4)", vec![], "byte 10", "whole numbers"),
        ] {
            let error = images(descr, shape, &elements).unwrap_err();
            assert_eq!(error.place, place, "{descr} {shape}");
            assert!(error.problem.contains(problem), "{descr} {shape}: {}", error.problem);
        }
    }
}
