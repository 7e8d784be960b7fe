//! Write arrays as NumPy reads them: `.npy` (format 1.0) and `.npz`, a zip archive of such files.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A type that NumPy knows.
pub trait Element: Copy {
    /// NumPy's name of the type, little-endian.
    const DESCRIPTION: &'static str;

    /// Appends the little-endian bytes.
    fn append(self, bytes: &mut Vec<u8>);
}

/// Implements [`Element`] for numbers.
macro_rules! elements {
    ($($number:ty = $description:literal),*) => {
        $(impl Element for $number {
            const DESCRIPTION: &'static str = $description;

            fn append(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }
        })*
    };
}

elements!(f32 = "<f4", u32 = "<u4", u16 = "<u2");

/// One array, row-major.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a, T> {
    /// The elements.
    pub values: &'a [T],
    /// The lengths of its axes.
    pub shape: &'a [usize],
}

impl<T: Element> Array<'_, T> {
    /// The array as the bytes of an `.npy` file.
    ///
    /// # Panics
    /// If the shape does not fit the number of elements.
    pub fn to_npy(self) -> Vec<u8> {
        assert_eq!(
            self.values.len(),
            self.shape.iter().product::<usize>(),
            "the shape holds the elements"
        );
        // The comma after every length makes a tuple of a single one.
        let shape: String = self.shape.iter().map(|n| format!("{n},")).collect();
        let dictionary = format!(
            "{{'descr': '{}', 'fortran_order': False, 'shape': ({shape}), }}",
            T::DESCRIPTION
        );
        // Magic, version, length and dictionary, padded to a multiple of 64 with a line end last.
        let padded = (10 + dictionary.len() + 1).next_multiple_of(64) - 10;
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((padded as u16).to_le_bytes());
        bytes.extend(format!("{dictionary:width$}\n", width = padded - 1).bytes());
        for value in self.values {
            value.append(&mut bytes);
        }
        bytes
    }
}

/// Named arrays that become one `.npz` file.
#[derive(Debug)]
pub struct Archive {
    writer: ZipWriter<Cursor<Vec<u8>>>,
}

impl Archive {
    /// An archive without arrays.
    pub fn new() -> Self {
        Self { writer: ZipWriter::new(Cursor::new(Vec::new())) }
    }

    /// Adds `array` under `name`.
    pub fn add<T: Element>(&mut self, name: &str, array: Array<'_, T>) -> anyhow::Result<()> {
        self.writer.start_file(format!("{name}.npy"), SimpleFileOptions::default())?;
        self.writer.write_all(&array.to_npy())?;
        Ok(())
    }

    /// The archive as the bytes of a file.
    pub fn into_bytes(self) -> anyhow::Result<Vec<u8>> {
        Ok(self.writer.finish()?.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// As the format 1.0 of NumPy lays them out.
    #[test]
    fn bytes_follow_the_format() {
        let array = Array { values: &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0], shape: &[2, 3] };
        let bytes = array.to_npy();
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00v\x00");
        let header = std::str::from_utf8(&bytes[10..128]).unwrap();
        let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,3,), }";
        assert_eq!(header.trim_end(), dictionary);
        assert!(header.ends_with('\n'));
        assert_eq!(bytes.len(), 128 + 24);
        assert_eq!(&bytes[132..136], &2f32.to_le_bytes());
    }

    #[test]
    fn archives_hold_their_arrays() {
        let mut archive = Archive::new();
        let labels = Array { values: &[7u16, 9], shape: &[2] };
        archive.add("label", labels).unwrap();
        archive.add("id", Array { values: &[1u32], shape: &[1] }).unwrap();
        let bytes = archive.into_bytes().unwrap();
        let mut read = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        assert_eq!(read.len(), 2);
        let mut content = Vec::new();
        read.by_name("label.npy").unwrap().read_to_end(&mut content).unwrap();
        assert_eq!(content, labels.to_npy());
        let header = String::from_utf8_lossy(&content[10..128]);
        assert!(header.contains("'<u2'") && header.contains("(2,)"), "{header}");
    }
}
