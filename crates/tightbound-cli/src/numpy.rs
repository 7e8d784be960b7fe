//! Write arrays as NumPy reads them.

use std::io::{Cursor, Write};

use npyz::npz::NpzWriter;
use npyz::write_options::HasWriter;
use npyz::{AutoSerialize, WriteOptions, WriterBuilder};

/// One array, row-major.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a, T> {
    /// The elements.
    pub values: &'a [T],
    /// The lengths of its axes.
    pub shape: &'a [usize],
}

impl<T: AutoSerialize + Copy> Array<'_, T> {
    /// Writes the array through any of npyz's builders.
    fn write(
        &self,
        builder: impl WriterBuilder<T> + HasWriter<Writer: Write>,
    ) -> anyhow::Result<()> {
        let shape: Vec<u64> = self.shape.iter().map(|&n| n as u64).collect();
        let mut writer = builder.default_dtype().shape(&shape).begin_nd()?;
        writer.extend(self.values.iter().copied())?;
        Ok(writer.finish()?)
    }

    /// The array as the bytes of an `.npy` file.
    pub fn to_npy(&self) -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.write(WriteOptions::new().writer(&mut bytes))?;
        Ok(bytes)
    }
}

/// Named arrays that become one `.npz` file.
pub struct Archive {
    writer: NpzWriter<Cursor<Vec<u8>>>,
}

impl Archive {
    /// An archive without arrays.
    pub fn new() -> Self {
        Self { writer: NpzWriter::new(Cursor::new(Vec::new())) }
    }

    /// Adds `array` under `name`.
    pub fn add<T: AutoSerialize + Copy>(
        &mut self,
        name: &str,
        array: Array<'_, T>,
    ) -> anyhow::Result<()> {
        array.write(self.writer.array(name, Default::default())?)
    }

    /// The archive as the bytes of a file.
    pub fn into_bytes(mut self) -> anyhow::Result<Vec<u8>> {
        Ok(self.writer.zip_writer().finish()?.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use npyz::NpyFile;
    use npyz::npz::NpzArchive;

    use super::*;

    #[test]
    fn arrays_come_back_with_their_shapes() {
        let values = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0];
        let array = Array { values: &values, shape: &[2, 3] };
        let file = array.to_npy().unwrap();
        let npy = NpyFile::new(&file[..]).unwrap();
        assert_eq!(npy.shape(), [2, 3]);
        assert_eq!(npy.into_vec::<f32>().unwrap(), values);

        let mut archive = Archive::new();
        archive.add("mean", array).unwrap();
        archive.add("label", Array { values: &[7u16, 9], shape: &[2] }).unwrap();
        let bytes = archive.into_bytes().unwrap();
        let mut read = NpzArchive::new(Cursor::new(&bytes)).unwrap();
        let mean = read.by_name("mean").unwrap().unwrap();
        assert_eq!(mean.into_vec::<f32>().unwrap(), values);
        let label = read.by_name("label").unwrap().unwrap();
        assert_eq!(label.into_vec::<u16>().unwrap(), [7, 9]);
    }
}
