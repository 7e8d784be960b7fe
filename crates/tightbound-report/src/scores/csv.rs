//! Write every single value of a score table as comma-separated values.

use std::fmt::Write;

use super::score_table::ScoreTable;
use crate::csv::field;

impl ScoreTable {
    /// Every value on a line of its own, with all its digits: `number` is that of the value in
    /// its cell, from 1; a published value has none. `sd` is that of a single or published value.
    /// Cells without any value have no line.
    ///
    /// # Panics
    /// If a row has more cells than there are columns.
    pub fn to_csv(&self) -> String {
        self.check();
        let mut csv = String::from("row,column,source,number,value,sd\n");
        let end = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
        for row in &self.rows {
            for (cell, column) in row.cells.iter().zip(&self.columns) {
                let place = format!("{},{}", field(&row.name), field(&column.heading));
                let sd = end(cell.spread.filter(|_| cell.values.len() == 1));
                for (number, value) in (1..).zip(&cell.values) {
                    let _ = writeln!(csv, "{place},run,{number},{value},{sd}");
                }
                if let Some(published) = &cell.published {
                    let _ = writeln!(
                        csv,
                        "{place},published,,{},{}",
                        published.value,
                        end(published.sd)
                    );
                }
            }
        }
        csv
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::tests::example;

    #[test]
    fn every_value_has_a_line() {
        let expected = "\
row,column,source,number,value,sd
iwae,log p̂,run,1,-84.61,
iwae,log p̂,run,2,-84.52,
iwae,log p̂,run,3,-84.57,
iwae,log p̂,run,4,-84.57,
iwae,log p̂,published,,-84.52,0.02
iwae,KL(q‖p) | nats,run,1,2,
iwae,KL(q‖p) | nats,run,2,2.5,
iwae,KL(q‖p) | nats,run,3,2.6,
iwae,SSIM,run,1,0.58,0.11
ciwae_β=½,log p̂,run,1,-84.64,
ciwae_β=½,log p̂,run,2,-84.5,
ciwae_β=½,log p̂,run,3,-84.7,
ciwae_β=½,log p̂,run,4,-84.6,
ciwae_β=½,log p̂,published,,-85.24,
ciwae_β=½,KL(q‖p) | nats,run,1,1.9,
<script>alert('p̂')</script>,log p̂,run,1,-86.2,
<script>alert('p̂')</script>,log p̂,run,2,-86.3,
<script>alert('p̂')</script>,KL(q‖p) | nats,run,1,2.1,
<script>alert('p̂')</script>,KL(q‖p) | nats,run,2,2.12,
none,log p̂,published,,-87,
";
        assert_eq!(example().to_csv(), expected);
    }
}
