//! Write arrays as NumPy reads them.

use std::io::{Cursor, Write};

use npyz::npz::NpzWriter;
use npyz::{AutoSerialize, WriterBuilder};

/// One array, `[rows, columns]`, or `[rows]` where `columns` is absent; row-major.
#[derive(Debug)]
pub struct Array<'a, T> {
    /// The elements.
    pub values: &'a [T],
    /// Elements per row.
    pub columns: Option<usize>,
}

impl<T: AutoSerialize + Copy> Array<'_, T> {
    fn shape(&self) -> Vec<u64> {
        match self.columns {
            None => vec![self.values.len() as u64],
            Some(columns) => {
                vec![(self.values.len() / columns.max(1)) as u64, columns as u64]
            }
        }
    }

    fn write(&self, sink: impl Write) -> anyhow::Result<()> {
        let options = npyz::WriteOptions::new().default_dtype().shape(&self.shape());
        let mut writer = options.writer(sink).begin_nd()?;
        writer.extend(self.values.iter().copied())?;
        Ok(writer.finish()?)
    }

    /// The array as the bytes of an `.npy` file.
    pub fn to_npy(&self) -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.write(&mut bytes)?;
        Ok(bytes)
    }
}

/// Several arrays that become one `.npz` file.
pub struct Archive {
    writer: NpzWriter<Cursor<Vec<u8>>>,
    names: Vec<String>,
}

impl Archive {
    /// An archive without arrays.
    pub fn new() -> Self {
        Self { writer: NpzWriter::new(Cursor::new(Vec::new())), names: Vec::new() }
    }

    /// Adds `array` under `name`.
    pub fn add<T: AutoSerialize + Copy>(
        &mut self,
        name: &str,
        array: Array<'_, T>,
    ) -> anyhow::Result<()> {
        self.writer.start_array_raw(name)?;
        Ok(())
    }
}
