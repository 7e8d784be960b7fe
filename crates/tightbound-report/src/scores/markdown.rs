//! Write a score table in GitHub's Markdown.

use std::fmt::Write;

use super::layout::{MARK, Shown, Standing};
use super::score_table::ScoreTable;

impl ScoreTable {
    /// The table in GitHub's Markdown: the title as a paragraph in bold, published values behind
    /// ours, the notes as a list.
    ///
    /// # Panics
    /// If a row has more cells than there are columns.
    pub fn to_markdown(&self) -> String {
        let shown = self.shown();
        let mut text = String::new();
        if !self.title.is_empty() {
            let _ = writeln!(text, "**{}**\n", escape(&self.title));
        }
        let line = |name: &str, cells: Vec<String>| {
            let cells = cells.iter().map(|cell| format!(" {cell} |")).collect::<String>();
            format!("| {} |{cells}\n", escape(name))
        };
        text += &line(&self.corner, self.columns.iter().map(|c| escape(&c.heading)).collect());
        text += &format!("| :--- |{}\n", " ---: |".repeat(self.columns.len()));
        for (row, cells) in self.rows.iter().zip(&shown) {
            text += &line(&row.name, cells.iter().map(cell).collect());
        }
        for (number, note) in self.all_notes(&shown, "Bold").iter().enumerate() {
            let gap = if number == 0 { "\n" } else { "" };
            let _ = writeln!(text, "{gap}- {}", escape(note));
        }
        text
    }
}

fn cell(shown: &Shown) -> String {
    let value = match shown.standing {
        Standing::Best => format!("**{}**", shown.value),
        Standing::NotTold => format!("{}{MARK}", shown.value),
        _ => shown.value.clone(),
    };
    match &shown.published {
        Some(published) => format!("{value} {}", escape(published)),
        None => value,
    }
}

/// The text as itself: nothing in it is markup, and it stays on its line.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '$' => {
                escaped.extend(['\\', c]);
            }
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::layout::tests::example;

    #[test]
    fn names_are_no_markup() {
        let expected = r"**MNIST \& Omniglot: 64 samples, 100 % of the data**

| estimator\_name | log p̂ | KL(q‖p) \| nats | SSIM |
| :--- | ---: | ---: | ---: |
| iwae | **-84.57 ± 0.04** \[-84.52 ± 0.02‡\] | 2.4 ± 0.3 | 0.580 ± 0.110 |
| ciwae\_β=½ | -84.61 ± 0.08† \[-85.24\] | **1.9** | – |
| \<script\>alert('p̂')\</script\> | -86.25 ± 0.07 | 2.1 ± 0.0 | – |
| none | – \[-87.00\] | – | – |

- Mean ± standard deviation over 2 to 4 seeds.
- Bold: best mean of its column.
- †: not told from the best of its column at 5 % by the Games–Howell test: Welch's t-test, corrected for all pairs of the column.
- No test, and so no †, where the cell or the best has fewer than 4 seeds.
- \[…\]: Rainforth et al. 2018, ‡ second-hand; \*not\* ours\_at\_all.
";
        assert_eq!(example().to_markdown(), expected);
    }
}
